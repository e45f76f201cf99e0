import assert from "node:assert/strict";
import { test } from "node:test";
import { checkOptions, describeGiven, type OptionNames, type OptionTable } from "./option-names.ts";

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
  assert.equal(describeGiven({ password: "x" }), "an object (Object)");
  assert.equal(describeGiven(Object.create(null)), "an object (without a class)");
  assert.ok(describeGiven("y".repeat(1_000)).length < 100);
});

test("a table without names allows none", () => {
  const none: OptionNames = {};
  assert.throws(() => checkOptions("close()", { a: 1 }, none), /there is no option "a" \(none is allowed\)/);
});
