import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkOptions,
  describeGiven,
  isOptionsObject,
  namesOf,
  type OptionNames,
  type OptionTable,
} from "./option-names.ts";

interface Options {
  readonly maxReceiveMessageBytes?: number;
  readonly timeoutMs?: number;
  readonly keepalive?: { readonly timeMs?: number };
}

const TABLE = {
  maxReceiveMessageBytes: true,
  timeoutMs: true,
  keepalive: { timeMs: true },
} as const satisfies OptionTable<Options>;

test("options with known names pass, nested ones and absent ones too", () => {
  for (const given of [
    undefined,
    {},
    { timeoutMs: 5 },
    { timeoutMs: undefined },
    { keepalive: { timeMs: 1 } },
    Object.create(null),
  ])
    checkOptions("new Thing()", given, TABLE);
});

test("an unknown name is refused with what was given, the nearest name and what is allowed", () => {
  const cases: [unknown, RegExp][] = [
    [
      { maxRecieveMessageBytes: 1 },
      /^new Thing\(\): there is no option "maxRecieveMessageBytes"; did you mean maxReceiveMessageBytes\? \(allowed: maxReceiveMessageBytes, timeoutMs, keepalive\)$/,
    ],
    [{ timeout: 5 }, /no option "timeout"; did you mean timeoutMs\?/],
    [{ TimeoutMS: 5 }, /did you mean timeoutMs\?/],
    [{ receive: 5 }, /did you mean maxReceiveMessageBytes\?/],
    [{ keepaliveOptions: {} }, /did you mean keepalive\?/],
    [{ "grpc.max_receive_message_length": 5 }, /did you mean maxReceiveMessageBytes\?/],
    [{ "grpc.keepalive_time_ms": 5 }, /did you mean keepalive\.timeMs\?/],
    [{ "grpc.http2.unheard_of": 5 }, /no option "grpc\.http2\.unheard_of" \(allowed: /],
    [
      { keepalive: { time: 1 } },
      /^new Thing\(\): keepalive: there is no option "time"; did you mean timeMs\? \(allowed: timeMs\)$/,
    ],
    [{ x: undefined }, /no option "x"/],
    [{ toString: 1 }, /no option "toString"/],
    [JSON.parse('{"__proto__": 1}'), /no option "__proto__"/],
  ];
  for (const [given, message] of cases)
    assert.throws(() => checkOptions("new Thing()", given, TABLE), { name: "TypeError", message }, String(message));
});

test("what is no object is refused with its kind and the names there are", () => {
  const names = "an object with options is allowed: { maxReceiveMessageBytes, timeoutMs, keepalive }";
  const cases: [unknown, string][] = [
    ["0.0.0.0:5000", 'the string "0.0.0.0:5000"'],
    [5000, "the number 5000"],
    [null, "null"],
    [[], "an array"],
    [() => 1, "a function"],
    [true, "the boolean true"],
  ];
  for (const [given, what] of cases)
    assert.throws(() => checkOptions("listen()", given, TABLE), {
      name: "TypeError",
      message: `listen(): ${what} given, ${names}`,
    });
});

test("an error text never shows what is inside an object, and shortens a long text", () => {
  assert.equal(describeGiven("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA"), "PEM text");
  assert.equal(describeGiven({ password: "x" }), "an object (Object)");
  assert.equal(describeGiven(Object.create(null)), "an object (without a class)");
  assert.ok(describeGiven("y".repeat(1_000)).length < 100);
});

test("a table without names allows none", () => {
  const none: OptionNames = {};
  assert.throws(() => checkOptions("close()", { a: 1 }, none), /there is no option "a" \(none is allowed\)/);
});

test("a value of another kind is refused, null too; undefined is an option that was left out", () => {
  const table: OptionNames = {
    onError: "function",
    isOn: "boolean",
    name: "string",
    list: "array",
    cause: "any",
    inner: { a: true },
  };
  checkOptions("f()", { onError: () => 1, isOn: false, name: "", list: [], cause: null, inner: {} }, table);
  checkOptions("f()", { onError: undefined, isOn: undefined, inner: undefined }, table);
  const cases: [object, string][] = [
    [{ onError: "log" }, 'f(): onError: the string "log" given, a function is allowed'],
    [{ isOn: "yes" }, 'f(): isOn: the string "yes" given, true or false is allowed'],
    [{ name: 5 }, "f(): name: the number 5 given, a string is allowed"],
    [{ list: "a" }, 'f(): list: the string "a" given, an array is allowed'],
    [{ isOn: null }, "f(): isOn: null given; leave the option out for its default"],
    [{ inner: 5 }, "f(): inner: the number 5 given, an object with options is allowed: { a }"],
    [{ inner: null }, "f(): inner: null given, an object with options is allowed: { a }"],
  ];
  for (const [given, message] of cases)
    assert.throws(() => checkOptions("f()", given, table), { name: "TypeError", message });
});

test("objects with a meaning of their own are no options", () => {
  const others = [new Map(), new Set(), [], new Date(), new Error("x"), new URL("http://a"), new Uint8Array(1), /x/];
  for (const given of [...others, Promise.resolve(), new AbortController().signal, new Headers()]) {
    assert.equal(isOptionsObject(given), false, String(given));
    assert.throws(() => checkOptions("f()", given, {}), TypeError);
  }
});

test("the names of a table are a table", () => {
  assert.deepEqual(namesOf({ a: { min: 1 }, b: 5 }), { a: true, b: true });
});
