/** Values that another realm made (a vm context, a test runner's sandbox), and signals that npm packages made. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { Metadata, RpcError, StatusCode } from "../../src/index.ts";
import { eventually, useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { failureOf, withHandlers } from "../server/support/lab-service.ts";

const context = createContext({});
const foreign = <T>(code: string): T => runInContext(code, context) as T;

test("a Uint8Array of another realm is bytes: in a message, in metadata", async (t) => {
  const bytes = foreign<Uint8Array>("new Uint8Array([1, 2, 3])");
  assert.equal(bytes instanceof Uint8Array, false);
  assert.deepEqual([...new Metadata().append("trace-bin", bytes)], [["trace-bin", bytes]]);
  const lab = await useServer(
    t,
    withHandlers({ unary: ({ body }, call) => ({ body, text: String(call.metadata.get("trace-bin")) }) }),
  );
  const metadata = { "trace-bin": bytes };
  const { body, text } = await lab.client(Lab).unary({ body: bytes }, { metadata });
  assert.deepEqual([[...body], text], [[1, 2, 3], "\u0001\u0002\u0003"]);
});

test("a Date of another realm is a deadline", async (t) => {
  const lab = await useServer(t, withHandlers({ unary: (_, call) => ({ text: String(call.remainingMs) }) }));
  const deadline = foreign<Date>("new Date(Date.now() + 60000)");
  assert.equal(deadline instanceof Date, false);
  const { text } = await lab.client(Lab).unary({}, { deadline });
  assert.ok(Number(text) <= 60_000, text);
  const past = foreign<Date>("new Date(0)");
  await failureOf(lab.client(Lab).unary({}, { deadline: past }), StatusCode.DEADLINE_EXCEEDED);
  await assert.rejects(
    async () => await lab.client(Lab).unary({}, { deadline: foreign<Date>("new Date(NaN)") }),
    RangeError,
  );
});

test("an error of another realm keeps its message, and an AbortError stays a cancellation", () => {
  const error = foreign<Error>('new TypeError("not a number")');
  assert.equal(error instanceof Error, false);
  const made = RpcError.from(error);
  assert.deepEqual([made.code, made.message, made.cause], [StatusCode.UNKNOWN, "not a number", error]);
  const abort = foreign<Error>('Object.assign(new Error("stopped"), { name: "AbortError" })');
  assert.equal(RpcError.from(abort).code, StatusCode.CANCELLED);
});

test("what a handler throws from another realm is INTERNAL, reported, and never goes out", async (t) => {
  const lab = await useServer(t, withHandlers({ unary: () => foreign('(() => { throw new Error("secret") })()') }));
  const error = await failureOf(lab.client(Lab).unary({}), StatusCode.INTERNAL);
  assert.equal(error.message, "internal error");
  assert.equal((lab.takeErrors()[0] as Error).message, "secret");
});

test("a Map where a map field takes an object is refused, whichever realm made it", async () => {
  const { encode } = await import("../../src/protobuf/index.ts");
  const { StructSchema } = await import("@bufbuild/protobuf/wkt");
  // It has no own keys: without a check it would be sent as an empty map.
  for (const fields of [new Map(), foreign("new Map()")])
    assert.throws(() => encode(StructSchema, { fields } as never), /Map/);
});

/** The shapes of signals that packages make; each fires once `fire` is called. */
interface FakeSignal {
  readonly signal: AbortSignal;
  fire(): void;
  listeners(): number;
}

type Listener = ((event?: unknown) => void) | { handleEvent(event: unknown): void };

function fakeSignal(event: unknown, { functionsOnly = true, removable = true } = {}): FakeSignal {
  const listeners = new Set<Listener>();
  const signal: Record<string, unknown> = {
    aborted: false,
    addEventListener(type: string, listener: Listener, ...rest: unknown[]) {
      assert.equal(rest.length, 0, "a package that knows no options was given some");
      if (functionsOnly && typeof listener !== "function") throw new TypeError("listener must be a function");
      if (type === "abort") listeners.add(listener);
    },
  };
  if (removable) {
    signal.removeEventListener = (_: string, listener: Listener) => {
      if (!listeners.delete(listener)) throw new Error("removed twice");
    };
  }
  return {
    signal: signal as unknown as AbortSignal,
    fire() {
      signal.aborted = true;
      for (const listener of [...listeners])
        if (typeof listener === "function") listener(event);
        else listener.handleEvent(event);
    },
    listeners: () => listeners.size,
  };
}

const SHAPES: Readonly<Record<string, () => FakeSignal>> = {
  "no event at all": () => fakeSignal(undefined),
  "an event without currentTarget": () => fakeSignal({ type: "abort" }),
  "an event whose currentTarget is null": () => fakeSignal({ type: "abort", currentTarget: null }),
  "no way to remove a listener": () => fakeSignal({ type: "abort" }, { removable: false }),
};

for (const [shape, make] of Object.entries(SHAPES)) {
  test(`a signal of a package cancels a waiting call: ${shape}`, async (t) => {
    let cancelled = 0;
    const lab = await useServer(
      t,
      withHandlers({
        unary: (_, call) =>
          new Promise((_resolve, reject) => {
            call.signal.addEventListener("abort", () => {
              cancelled++;
              reject(call.signal.reason);
            });
          }),
      }),
    );
    const fake = make();
    const failed = failureOf(lab.client(Lab).unary({}, { signal: fake.signal }), StatusCode.CANCELLED);
    await eventually("the handler to run", () => lab.server.handlerCount === 1);
    fake.fire();
    await failed;
    await eventually("the handler to hear of it", () => cancelled === 1);
    // A second event, and one after the end, change nothing.
    fake.fire();
  });

  test(`a signal of a package leaves a call that succeeds alone: ${shape}`, async (t) => {
    const lab = await useServer(t, withHandlers({ unary: ({ text }) => ({ text }) }));
    const fake = make();
    assert.equal((await lab.client(Lab).unary({ text: "a" }, { signal: fake.signal })).text, "a");
    if (shape !== "no way to remove a listener") assert.equal(fake.listeners(), 0);
    fake.fire();
  });
}

test("what is no signal is refused before anything is sent, and the controller's signal is pointed at", async (t) => {
  const lab = await useServer(t, withHandlers({ unary: () => ({}) }));
  const cases: [unknown, RegExp][] = [
    [
      new AbortController(),
      /signal: an object \(AbortController\) given, an AbortSignal is allowed; give the controller's `signal`/,
    ],
    [{}, /signal: an object \(Object\) given/],
    [null, /signal: null given/],
    [5, /signal: the number 5 given/],
  ];
  for (const [signal, message] of cases)
    await assert.rejects(async () => await lab.client(Lab).unary({}, { signal: signal as AbortSignal }), {
      name: "TypeError",
      message,
    });
});
