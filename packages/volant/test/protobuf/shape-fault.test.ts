/**
 * What a message has that encoding would drop or misread: found where it is, with the path and what to do; and what only looks like it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { AnySchema, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { CheckedCodec } from "../../src/protobuf/checked-codec.ts";
import { codecOf } from "../../src/protobuf/message-codec.ts";
import { findShapeFault, MOST_VALUES } from "../../src/protobuf/shape-fault.ts";
import { UserSchema } from "../services/checked-schema.ts";
import { Random } from "./random.ts";
import { randomMessage, toPlain } from "./random-message.ts";
import { TEST_SCHEMAS } from "./schemas.ts";

type Init = MessageInitShape<typeof UserSchema>;

function codecs() {
  const codec = codecOf(UserSchema);
  return { plain: codec, checked: new CheckedCodec(codec as never, UserSchema) };
}

function textOf(message: unknown): string {
  try {
    codecs().checked.encode(message);
  } catch (error) {
    assert.ok(error instanceof Error && error.name === "EncodeError", String(error));
    return error.message;
  }
  return "";
}

class Row {
  displayName = "x";
  created_at = "column of the database";
  createdAt = new Date(5);
}

class Instant {
  readonly #ms = 5;
  get epochMs(): number {
    return this.#ms;
  }
}

const date = new Date(1_763_800_000_000);
const created = create(UserSchema);
(created as unknown as Record<string, unknown>).displayname = "x";

const FAULTS: Readonly<Record<string, readonly [unknown, RegExp]>> = {
  "a Date for a Timestamp": [
    { createdAt: date },
    /^cannot encode shop\.User\.createdAt: expected a google\.protobuf\.Timestamp, not an object of class Date; use timestampFromDate\(date\) of "@bufbuild\/protobuf\/wkt"$/,
  ],
  "a Date for a Timestamp, nested": [
    { owner: { owner: { createdAt: date } } },
    /User\.owner\.owner\.createdAt: expected/,
  ],
  "a Date of another realm": [{ createdAt: vm.runInNewContext("new Date(5)") }, /createdAt: .*timestampFromDate/],
  "a Date in a list": [{ friends: [{}, { createdAt: date }] }, /User\.friends\[1\]\.createdAt: expected/],
  "a Date in a map": [{ byName: { ada: { createdAt: date } } }, /User\.byName\["ada"\]\.createdAt: expected/],
  "a Date in a oneof": [
    { contactBy: { case: "guardian", value: { createdAt: date } } },
    /User\.contactBy\.value\.createdAt: expected/,
  ],
  "a number for a Timestamp": [{ createdAt: 5 }, /not the number 5; use timestampFromMs\(milliseconds\)/],
  "text for a Timestamp": [{ createdAt: "2026-01-01" }, /; use timestampFromDate\(new Date\(text\)\)/],
  "a number for a Duration": [{ timeToLive: 5 }, /not the number 5; use durationFromMs\(milliseconds\)/],
  "an instant of another library for a Timestamp": [
    { createdAt: new Instant() },
    /class Instant; use timestampFromDate/,
  ],
  "a column": [
    { display_name: "x" },
    /User\.display_name: shop\.User has no property "display_name"; a field is given by its name in TypeScript, displayName$/,
  ],
  "a misspelt field": [
    { owner: { diplayName: "x" } },
    /User\.owner\.diplayName: .* has no field "diplayName"; did you mean displayName\?/,
  ],
  "a misspelt field of a created message": [created, /User\.displayname: .*did you mean displayName\?/],
  "a field of no message": [
    { quux: 1 },
    /User\.quux: shop\.User has no field "quux" \(allowed: displayName, createdAt, /,
  ],
  "an unknown field of another realm": [vm.runInNewContext("({ quux: 1 })"), /User\.quux/],
  "an unknown field that is an accessor": [
    Object.defineProperty({}, "quux", { get: () => 1, enumerable: true }),
    /quux/,
  ],
  "a case beside its oneof": [{ email: "a@b.c" }, /it is in a oneof: contactBy: \{ case: "email", value \}/],
  "an unknown case": [
    { contactBy: { case: "phone", value: "1" } },
    /User\.contactBy\.case: the oneof contactBy has no case "phone" \(allowed: email, guardian\)/,
  ],
  "a misspelt case": [{ contactBy: { case: "e_mail", value: "1" } }, /did you mean email\?/],
  "a case that is no text": [{ contactBy: { case: 4, value: "1" } }, /no case the number 4/],
  "a oneof in the form of other generators": [
    { contactBy: { email: "a@b.c" } },
    /User\.contactBy: expected \{ case, value \} for the oneof, its case one of email, guardian, not an object without a case/,
  ],
  "a oneof without its case": [{ contactBy: { value: "a@b.c" } }, /without a case/],
  "the bare value of a oneof": [{ contactBy: "a@b.c" }, /User\.contactBy: expected \{ case, value \}.*not the string/],
  "a Date for any message": [{ owner: date }, /expected a shop\.User, not an object of class Date$/],
  "a promise nobody awaited": [{ owner: Promise.resolve({}) }, /expected a shop\.User, not an object of class Promise/],
  "a Map for a message": [{ owner: new Map([["displayName", "x"]]) }, /not an object of class Map/],
  "an error": [
    new Error("thrown too late"),
    /^cannot encode shop\.User: expected a shop\.User, not an object of class Error/,
  ],
  "something for an empty message": [
    { nothing: { ok: true } },
    /User\.nothing\.ok: shop\.Empty has no field "ok" \(allowed: none\)/,
  ],
  "a Date in an object of a class": [new Row(), /User\.createdAt: expected a google\.protobuf\.Timestamp/],
  "a Date in JSON": [
    { extra: { list: [{ at: date }] } },
    /User\.extra\["list"\]\[0\]\["at"\]: expected a JSON value, not .*Date; use date\.toISOString\(\)/,
  ],
  "a Map in JSON": [{ extra: { tags: new Map() } }, /expected a JSON value, not an object of class Map/],
  "bytes in JSON": [{ extra: { raw: Buffer.from("x") } }, /expected a JSON value, not an object of class Buffer/],
  "a message for an Any": [{ any: { "@type": "x" } }, /Any has no field "@type" \(allowed: typeUrl, value\)/],
  "JSON for a Value": [{ json: { a: 1 } }, /Value has no field "a"/],
  "text for a Value": [{ json: "text" }, /use fromJson\(ValueSchema, json\)/],
};

for (const [name, [message, expected]] of Object.entries(FAULTS)) {
  test(`${name} is refused`, () => {
    assert.match(textOf(message), expected);
  });
}

class User {
  displayName = "ada";
  readonly repository = { connection: new Map() };
  private readonly cache = new Map();
  get createdAt() {
    return timestampFromMs(this.cache.size);
  }
}

const frozen = Object.freeze({ displayName: "x", owner: Object.freeze({ displayName: "y" }) });

const HONEST: Readonly<Record<string, unknown>> = {
  nothing: undefined,
  "an empty object": {},
  "a created message": create(UserSchema, { displayName: "x", createdAt: timestampFromMs(5) } as Init),
  "unset and removed fields": { displayName: undefined, created_at: undefined, owner: null, contactBy: undefined },
  "no case": { contactBy: { case: undefined } },
  "no case, and no value": { contactBy: { case: undefined, value: undefined } },
  "seconds and nanos": { createdAt: { seconds: 5n, nanos: 1 }, timeToLive: { seconds: 5n } },
  "the bare value of a wrapper": { nick: "x" },
  "any JSON": { extra: { display_name: null, $a: [1, "x", { created_at: true }], __proto__x: {} } },
  "JSON without a prototype": { extra: Object.assign(Object.create(null), { a: Object.create(null) }) },
  "an Any": { any: create(AnySchema, { typeUrl: "x", value: new Uint8Array(2) }) },
  "keys of a map": { byName: { display_name: {}, $odd: {}, constructor: {}, "": {} } },
  "unknown fields that were received": fromBinary(UserSchema, Uint8Array.of(0xf8, 0x07, 5)),
  "typed arrays": { scores: new Int32Array([1, 2]) },
  "symbols and hidden properties": Object.defineProperty({ [Symbol("x")]: 1 }, "hidden", { value: 1 }),
  "an object of a class with more than the message": new User(),
  "frozen objects": frozen,
};

for (const [name, message] of Object.entries(HONEST)) {
  test(`${name} passes, with the bytes of the codec`, () => {
    const { plain, checked } = codecs();
    assert.deepEqual(checked.encode(message), plain.encode(message as Init));
  });
}

test("random messages of every test schema pass, created and plain", () => {
  for (const schema of TEST_SCHEMAS) {
    for (let seed = 0; seed < 40; seed++) {
      const message = randomMessage(schema, new Random(seed));
      assert.equal(findShapeFault(schema, message), undefined);
      assert.equal(findShapeFault(schema, toPlain(message)), undefined);
      assert.equal(findShapeFault(schema, fromBinary(schema, toBinary(schema, message))), undefined);
    }
  }
});

test("another type's message is told by the encoder, not field by field", () => {
  assert.match(textOf({ owner: create(AnySchema, { typeUrl: "x" }) }), /the message given is a google\.protobuf\.Any/);
});

test("an accessor of a field is read as the encoder reads it, and no other accessor is", () => {
  class Lazy {
    get createdAt() {
      return date;
    }
    get repository(): never {
      throw new Error("not to be read");
    }
  }
  assert.match(textOf(new Lazy()), /User\.createdAt: .*timestampFromDate/);
  let calls = 0;
  const message = {
    get quux() {
      calls++;
      return 1;
    },
  };
  assert.match(textOf(message), /quux/);
  assert.equal(calls, 0);
});

test("an accessor that gives another object each time is followed as deep as messages nest", () => {
  let calls = 0;
  const endless = (): object => ({
    get owner() {
      calls++;
      return endless();
    },
  });
  assert.equal(findShapeFault(UserSchema, endless()), undefined);
  assert.ok(calls <= 100, `${calls} calls`);
});

test("a message that contains itself ends with the encoder's error, and the check is bounded", () => {
  const cyclic: Record<string, unknown> = { displayName: "x" };
  cyclic.owner = cyclic;
  cyclic.friends = Array.from({ length: 50 }, () => cyclic);
  assert.equal(findShapeFault(UserSchema, cyclic), undefined);
  assert.match(textOf(cyclic), /contains itself/);
  const json: Record<string, unknown> = {};
  json.self = [json, json];
  assert.equal(findShapeFault(UserSchema, { extra: json }), undefined);
});

test("a huge message costs as much as the bound allows, and a fault within it is found", () => {
  let looks = 0;
  const counted = new Proxy(
    {},
    {
      ownKeys: () => {
        looks++;
        return [];
      },
    },
  );
  assert.equal(findShapeFault(UserSchema, { friends: new Array(1_000_000).fill(counted) }), undefined);
  assert.ok(looks <= MOST_VALUES, `${looks} elements were looked at`);
  assert.ok(looks > MOST_VALUES / 2, `only ${looks} elements were looked at`);
  const friends: object[] = new Array(4_000).fill({ displayName: "x" });
  friends.push({ quux: 1 });
  assert.match(textOf({ friends }), /friends\[4000\]\.quux/);
});

test("a name of a megabyte is no misspelt field, and is cut in the text", () => {
  const text = textOf({ ["x".repeat(1_000_000)]: 1 });
  assert.match(text, /has no field "x{40}…"/);
  assert.doesNotMatch(text, /did you mean/);
  assert.ok(text.length < 1_000, `the text has ${text.length} characters`);
});

test("a message with no room is checked once, and again when it is sent again", () => {
  const { checked } = codecs();
  let looks = 0;
  const ownKeys = () => {
    looks++;
    return [];
  };
  const message: Record<string, unknown> = { displayName: "x".repeat(100), owner: new Proxy({}, { ownKeys }) };
  assert.equal(checked.encodeInto(message, Buffer.alloc(10), 0, 10), -1);
  const before = looks;
  assert.ok(before > 0);
  checked.encode(message);
  assert.equal(looks, before);
  message.quux = 1;
  assert.throws(() => checked.encode(message), /quux/);
});
