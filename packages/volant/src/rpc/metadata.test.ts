import assert from "node:assert/strict";
import { test } from "node:test";
import { Metadata, type MetadataInit } from "./metadata.ts";

const bytes = new Uint8Array([1, 2, 3]);

test("an empty Metadata answers everything", () => {
  const metadata = new Metadata();
  assert.equal(metadata.size, 0);
  assert.equal(metadata.get("x"), undefined);
  assert.deepEqual(metadata.getAll("x"), []);
  assert.equal(metadata.has("x"), false);
  assert.equal(metadata.delete("x"), false);
  assert.deepEqual([...metadata], []);
});

test("gRPC detail 18: append keeps order and duplicates, get takes the first", () => {
  const metadata = new Metadata().append("a", "1").append("b", "2").append("a", "3");
  assert.deepEqual(
    [...metadata],
    [
      ["a", "1"],
      ["b", "2"],
      ["a", "3"],
    ],
  );
  assert.equal(metadata.get("a"), "1");
  assert.deepEqual(metadata.getAll("a"), ["1", "3"]);
  assert.equal(metadata.size, 3);
});

test("set replaces every value in the place of the first", () => {
  const metadata = Metadata.from([
    ["a", "1"],
    ["b", "2"],
    ["a", "3"],
    ["c", "4"],
  ]);
  metadata.set("a", "5").set("d", "6");
  assert.deepEqual(
    [...metadata],
    [
      ["a", "5"],
      ["b", "2"],
      ["c", "4"],
      ["d", "6"],
    ],
  );
});

test("delete removes every value", () => {
  const metadata = Metadata.from({ a: ["1", "2"], b: "3" });
  assert.equal(metadata.delete("A"), true);
  assert.deepEqual([...metadata], [["b", "3"]]);
});

test("keys are case-insensitive and stored in lower case", () => {
  const metadata = new Metadata().set("Authorization", "Bearer x");
  assert.deepEqual([...metadata], [["authorization", "Bearer x"]]);
  assert.equal(metadata.get("AUTHORIZATION"), "Bearer x");
});

test("every form of init gives the same entries", () => {
  const expected = [
    ["a", "1"],
    ["a", "2"],
    ["b-bin", bytes],
  ];
  const inits: MetadataInit[] = [
    { a: ["1", "2"], "b-bin": bytes },
    [
      ["a", "1"],
      ["a", "2"],
      ["b-bin", bytes],
    ],
    new Set([
      ["a", "1"],
      ["a", "2"],
      ["b-bin", bytes],
    ] as const),
    new Metadata().append("a", "1").append("a", "2").append("b-bin", bytes),
  ];
  for (const init of inits) assert.deepEqual([...Metadata.from(init)], expected);
  assert.deepEqual([...Metadata.from(new Map([["a", "1"]]))], [["a", "1"]]);
});

test("copies are independent in both directions, however each is changed", () => {
  const changes: ((metadata: Metadata) => unknown)[] = [
    (metadata) => metadata.append("a", "9"),
    (metadata) => metadata.set("a", "9"),
    (metadata) => metadata.set("new", "9"),
    (metadata) => metadata.delete("a"),
    (metadata) => metadata.merge({ c: "9" }),
  ];
  for (const change of changes) {
    const original = Metadata.from({ a: "1", b: "2" });
    const copy = original.clone();
    change(copy);
    assert.deepEqual(
      [...original],
      [
        ["a", "1"],
        ["b", "2"],
      ],
    );
    const second = original.clone();
    change(original);
    assert.deepEqual(
      [...second],
      [
        ["a", "1"],
        ["b", "2"],
      ],
    );
    assert.deepEqual([...copy], [...original]);
  }
  assert.equal(new Metadata().size, 0);
});

test("merge appends, and adds nothing when a part of it is refused", () => {
  const metadata = Metadata.from({ a: "1" }).merge({ a: "2" });
  assert.deepEqual(metadata.getAll("a"), ["1", "2"]);
  assert.throws(() => metadata.merge({ b: "3", te: "trailers" }), TypeError);
  assert.equal(metadata.size, 2);
});

test("gRPC detail 18: what an application may not set is refused with its name and the reason", () => {
  const metadata = new Metadata();
  for (const key of ["grpc-status", "Grpc-Timeout", ":authority", "te", "content-type", "user-agent", "connection"]) {
    assert.throws(
      () => metadata.set(key, "x"),
      { name: "TypeError", message: new RegExp(`"${key}" is reserved`) },
      key,
    );
    assert.throws(() => metadata.append(key, "x"), TypeError, key);
  }
  assert.equal(metadata.set("grpc-retry-pushback-ms", "100").size, 1);
});

test("an illegal key is refused with what is allowed", () => {
  for (const key of ["", "a b", "ä", "a:b", "a\n", "a/b"]) {
    assert.throws(
      () => new Metadata().set(key, "x"),
      { message: /is not allowed; a key consists of letters/ },
      JSON.stringify(key),
    );
  }
});

test("gRPC detail 18: a text outside printable ASCII is refused, and the message does not repeat it", () => {
  assert.throws(
    () => new Metadata().set("x-token", "secret\u00e9"),
    (error: Error) => {
      assert.match(error.message, /"x-token" has U\+00E9 at index 6/);
      assert.doesNotMatch(error.message, /secret/);
      return error instanceof TypeError;
    },
  );
  assert.throws(() => new Metadata().set("x", "a\r\nb"), { message: /U\+000D at index 1/ });
});

test("the kind of a value follows its key", () => {
  const wrong: [string, unknown, RegExp][] = [
    ["x-bin", "text", /"x-bin" was given a string; .* Uint8Array/],
    ["x", bytes, /"x" was given Uint8Array; it takes a string/],
    ["x", 5, /was given a number/],
    ["x", undefined, /was given undefined/],
    ["x", null, /was given null/],
  ];
  for (const [key, value, message] of wrong) {
    assert.throws(() => new Metadata().set(key, value as string), { name: "TypeError", message });
  }
});

test("a literal key gives the type of its value, a computed one either", () => {
  const metadata = Metadata.from({ "a-bin": bytes, b: "text" });
  const binary: Uint8Array | undefined = metadata.get("a-bin");
  const text: string | undefined = metadata.get("b");
  const computed: string | Uint8Array | undefined = metadata.get("b" as string);
  assert.deepEqual([binary, text, computed], [bytes, "text", "text"]);
});

test("gRPC detail 18: received metadata is stripped of the protocol's own fields", () => {
  const metadata = Metadata.fromWire([
    { name: ":method", value: "POST" },
    { name: "grpc-encoding", value: "gzip" },
    { name: "user-agent", value: "peer/1" },
    { name: "a-bin", value: "AQID" },
    { name: "x", value: "\xe9" },
  ]);
  assert.deepEqual(
    [...metadata].map(([key]) => key),
    ["user-agent", "a-bin", "x"],
  );
  assert.deepEqual(new Uint8Array(metadata.get("a-bin") ?? []), bytes);
  assert.equal(Metadata.fromWire([]).append("a", "1").size, 1);
  assert.equal(new Metadata().size, 0);
});

test("gRPC detail 17: received base64 that nobody checked is the runtime's mistake", () => {
  assert.throws(() => Metadata.fromWire([{ name: "a-bin", value: "*" }]), {
    name: "TypeError",
    message: /was not checked/,
  });
});
