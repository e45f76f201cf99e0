import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerCall } from "./call.ts";
import { composeHooks, type ServerHooks, type ServerInterceptor } from "./interceptor.ts";
import type { MethodInfo } from "./method.ts";

const METHOD: MethodInfo = { path: "/s/M", service: "s", name: "M", kind: "unary", idempotency: "UNKNOWN" };
const CALL = { method: METHOD } as ServerCall;

function recorder(log: string[], name: string, hooks: Partial<ServerHooks> = {}): ServerInterceptor {
  return () => ({
    onCall: () => {
      log.push(`${name}.onCall`);
    },
    onRequest: () => {
      log.push(`${name}.onRequest`);
    },
    onResponse: () => {
      log.push(`${name}.onResponse`);
    },
    around: (next) => (request, call) => {
      log.push(`${name} in`);
      const result = next(request, call);
      log.push(`${name} out`);
      return result;
    },
    ...hooks,
  });
}

test("the first in the list is the outermost, in every hook", () => {
  const log: string[] = [];
  const hooks = composeHooks([recorder(log, "a"), recorder(log, "b"), recorder(log, "c")], METHOD);
  assert.equal(hooks.onCall!(CALL), undefined);
  hooks.onRequest!({}, CALL);
  const handler = hooks.wrap(() => log.push("handler"));
  handler({}, CALL);
  hooks.onResponse!({}, CALL);
  assert.deepEqual(log, [
    ...["a.onCall", "b.onCall", "c.onCall", "a.onRequest", "b.onRequest", "c.onRequest"],
    ...["a in", "b in", "c in", "handler", "c out", "b out", "a out"],
    ...["c.onResponse", "b.onResponse", "a.onResponse"],
  ]);
});

test("a method that nobody hooks has no hooks, and keeps its handler", () => {
  const hooks = composeHooks([() => undefined, () => ({}), () => {}], METHOD);
  assert.deepEqual([hooks.onCall, hooks.onRequest, hooks.onResponse], [undefined, undefined, undefined]);
  const handler = (): string => "x";
  assert.equal(hooks.wrap(handler), handler);
});

test("an interceptor is asked once per method, with the method", () => {
  const asked: MethodInfo[] = [];
  composeHooks(
    [
      (method) => {
        asked.push(method);
      },
    ],
    METHOD,
  );
  assert.deepEqual(asked, [METHOD]);
});

test("onCall waits for a promise before the next one runs", async () => {
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const slow = recorder(log, "slow", {
    onCall: async () => {
      log.push("slow begins");
      await gate.promise;
      log.push("slow ends");
    },
  });
  const hooks = composeHooks([recorder(log, "a"), slow, recorder(log, "b"), slow], METHOD);
  const result = hooks.onCall!(CALL);
  assert.ok(result instanceof Promise);
  assert.deepEqual(log, ["a.onCall", "slow begins"]);
  gate.resolve();
  await result;
  assert.deepEqual(log.slice(2), ["slow ends", "b.onCall", "slow begins", "slow ends"]);
});

test("a refusal, thrown or rejected, keeps the inner ones from running", async () => {
  for (const refuse of [
    () => {
      throw new Error("refused");
    },
    () => Promise.reject(new Error("refused")),
  ]) {
    const log: string[] = [];
    const hooks = composeHooks([recorder(log, "a", { onCall: refuse }), recorder(log, "b")], METHOD);
    await assert.rejects(async () => hooks.onCall!(CALL), /refused/);
    assert.deepEqual(log, []);
  }
});

test("what onCall returns besides a promise means nothing", () => {
  const log: string[] = [];
  const counting = recorder(log, "a", { onCall: (() => 5) as unknown as () => void });
  assert.equal(composeHooks([counting, recorder(log, "b")], METHOD).onCall!(CALL), undefined);
  assert.deepEqual(log, ["b.onCall"]);
});

test("a message hook that is async is refused at once, and its own rejection ends nothing", async () => {
  for (const name of ["onRequest", "onResponse"] as const) {
    const hook = { [name]: () => Promise.reject(new Error("too late")) };
    const hooks = composeHooks([() => hook], METHOD);
    assert.throws(
      () => hooks[name]!({}, CALL),
      (error: Error) => error.message.includes(`${name} of an interceptor of /s/M returned a promise`),
    );
  }
  await new Promise((resolve) => setImmediate(resolve));
});

test("hooks keep their object", () => {
  class Policy {
    readonly #limit = 3;
    seen = 0;
    onRequest(): void {
      this.seen += this.#limit;
    }
  }
  const policy = new Policy();
  composeHooks([() => policy], METHOD).onRequest!({}, CALL);
  assert.equal(policy.seen, 3);
});

test("a hundred interceptors, all of them async, compose without a deep stack", async () => {
  const log: string[] = [];
  const many = Array.from({ length: 100 }, (_, at) =>
    recorder(log, String(at), { onCall: async () => void log.push(`${at}.onCall`) }),
  );
  const hooks = composeHooks(many, METHOD);
  await hooks.onCall!(CALL);
  assert.deepEqual(
    log,
    many.map((_, at) => `${at}.onCall`),
  );
});
