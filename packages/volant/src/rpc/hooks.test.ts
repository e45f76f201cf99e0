import assert from "node:assert/strict";
import { test } from "node:test";
import { bindHooks, checkInterceptors, composeMessageHooks } from "./hooks.ts";
import type { MethodInfo } from "./method.ts";

const method: MethodInfo = { path: "/s/M", service: "s", name: "M", kind: "unary", idempotency: "UNKNOWN" };
const NAMES = { onCall: true, onRequest: true } as const;

test("a list of interceptors is an array of functions, and the error says where it is not", () => {
  checkInterceptors(undefined);
  checkInterceptors([]);
  checkInterceptors([() => undefined]);
  const cases: [unknown, RegExp][] = [
    [{}, /^interceptors: an object \(Object\) given, an array of interceptors is allowed$/],
    [() => undefined, /^interceptors: .* given, an array/],
    [
      [() => undefined, { onCall() {} }],
      /^interceptors\[1\]: an object \(Object\) given; an interceptor is a function .*: \(method\) => \(\{ onCall\(call\)/,
    ],
    [[undefined], /^interceptors\[0\]: undefined given/],
    [["audit"], /^interceptors\[0\]: the string "audit" given/],
  ];
  for (const [given, message] of cases) assert.throws(() => checkInterceptors(given), { name: "TypeError", message });
});

test("nothing returned passes; hooks are bound in order", () => {
  const [a, b] = [{ onCall() {} }, { onRequest() {} }];
  assert.deepEqual(bindHooks<object>([() => a, () => undefined, () => b], method, NAMES), [a, b]);
});

test("a misspelt hook is refused when it is bound, with the interceptor's name, the method and the nearest hook", () => {
  const bind = (hooks: unknown): unknown =>
    bindHooks<object>(
      [
        function audit() {
          return hooks as object;
        },
      ],
      method,
      NAMES,
    );
  const cases: [unknown, RegExp][] = [
    [
      { onCal() {} },
      /^interceptors\[0\] \(audit\) for \/s\/M: there is no hook "onCal"; did you mean onCall\? \(allowed: onCall, onRequest\)$/,
    ],
    [{ oncall() {} }, /did you mean onCall\?/],
    [{ around() {} }, /around is a hook of servers; on a client use onCall/],
    [{ onCall: "x" }, /onCall: the string "x" given, a function is allowed/],
    [Promise.resolve({}), /returned a promise; it returns an object with hooks/],
    ["x", /returned the string "x"/],
    [() => undefined, /returned a function/],
    [5, /returned the number 5/],
  ];
  for (const [hooks, message] of cases) assert.throws(() => bind(hooks), { name: "TypeError", message });
});

test("an instance of a class may have state and methods of its own, but no misspelt hook", () => {
  class Policy {
    readonly seen = 0;
    readonly format = (): string => "";
    onCall(): void {
      this.count();
    }
    count(): void {}
  }
  class Misspelt extends Policy {
    onRequst(): void {}
  }
  const policy = new Policy();
  assert.deepEqual(bindHooks<object>([() => policy], method, NAMES), [policy]);
  assert.throws(
    () => bindHooks<object>([() => new Misspelt()], method, NAMES),
    /no hook "onRequst"; did you mean onRequest/,
  );
});

test("a message hook that returns a promise is refused, and its own rejection ends nothing", async () => {
  const hook = composeMessageHooks<{ method: MethodInfo }>(
    [{ onRequest: async () => assert.fail("later") }],
    "onRequest",
  );
  assert.throws(
    () => hook!({}, { method }),
    /onRequest of an interceptor of \/s\/M returned a promise; message hooks are synchronous/,
  );
  await new Promise((resolve) => setImmediate(resolve));
});
