/** How handlers fail, and what of it a client sees: gRPC PROTOCOL-HTTP2 "Responses", statuscodes, google.rpc.Status. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Metadata as GrpcJsMetadata, type ServiceError } from "@grpc/grpc-js";
import { BadRequestSchema } from "../../src/errors.ts";
import { badRequest, errorInfo, type Handlers, RpcError, StatusCode, statusName } from "../../src/index.ts";
import { eventually, useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { grpcJsClient } from "./support/grpc-js.ts";
import { collect, failureOf, withHandlers } from "./support/lab-service.ts";

const { INTERNAL, INVALID_ARGUMENT, NOT_FOUND, CANCELLED } = StatusCode;
type Unary = Handlers<typeof Lab>["unary"];

test("an application error arrives with code, message, details and trailers", async (t) => {
  const thrown = new RpcError(INVALID_ARGUMENT, "e-mail “x” ist ungültig\n100 %", {
    details: [badRequest({ email: "must contain @" }), errorInfo({ reason: "BAD", domain: "test" })],
    metadata: { "x-why": "because", "why-bin": new Uint8Array([1]) },
  });
  const lab = await useServer(
    t,
    withHandlers({
      unary() {
        throw thrown;
      },
    }),
  );
  const error = await failureOf(lab.client(Lab).unary({}), INVALID_ARGUMENT);
  assert.equal(error.message, thrown.message);
  assert.equal(error.detail(BadRequestSchema)?.fieldViolations[0]?.field, "email");
  assert.equal(error.details.length, 2);
  assert.equal(error.metadata.get("x-why"), "because");
  assert.deepEqual([...error.metadata.get("why-bin")!], [1]);
  const foreign = await new Promise<ServiceError>((resolve) =>
    grpcJsClient(lab).unary({}, new GrpcJsMetadata(), {}, (failure) => resolve(failure!)),
  );
  assert.deepEqual([foreign.code, foreign.details], [INVALID_ARGUMENT, thrown.message]);
  assert.equal(foreign.metadata.get("grpc-status-details-bin").length, 1);
});

test("every status code arrives as itself", async (t) => {
  const lab = await useServer(
    t,
    withHandlers({
      unary({ number }) {
        throw new RpcError(number as StatusCode, `code ${number}`);
      },
    }),
    { over: "memory" },
  );
  const client = lab.client(Lab);
  for (let code = 1; code <= 16; code++) {
    const error = await failureOf(client.unary({ number: code }), code as StatusCode);
    assert.equal(error.message, `code ${code}`, statusName(code as StatusCode));
  }
});

const INTERNAL_FAILURES: Record<string, Unary> = {
  "throws what is no RpcError": () => {
    throw new Error("secret");
  },
  "rejects with what is no RpcError": () => Promise.reject(new Error("secret")),
  "throws undefined": () => {
    throw undefined;
  },
  "rejects with a string": () => Promise.reject("secret"),
  "returns undefined": (() => undefined) as unknown as Unary,
  "returns null": (() => null) as unknown as Unary,
  "resolves with undefined": (async () => undefined) as unknown as Unary,
  "returns a number": (() => 5) as unknown as Unary,
  "returns a string": (() => "secret") as unknown as Unary,
  "returns a message of another type": (() => ({ $typeName: "user.User", text: "secret" })) as unknown as Unary,
  "returns a field of the wrong type": (() => ({ number: "secret" })) as unknown as Unary,
  "returns a number that the field cannot hold": () => ({ number: 2 ** 40 }),
  "returns an object whose getter throws": () => ({
    get text(): string {
      throw new Error("secret");
    },
  }),
  "rejects through a thenable that calls back twice": (() => ({
    // biome-ignore lint/suspicious/noThenProperty: a thenable that is no promise is the point
    then(_resolve: unknown, reject: (error: unknown) => void) {
      reject(new Error("secret"));
      reject(new Error("again"));
    },
  })) as unknown as Unary,
};

for (const [what, unary] of Object.entries(INTERNAL_FAILURES)) {
  test(`a handler that ${what} ends the call with INTERNAL, tells nothing, and is reported once`, async (t) => {
    const lab = await useServer(t, withHandlers({ unary }), { over: "memory" });
    const error = await failureOf(lab.client(Lab).unary({}), INTERNAL);
    assert.equal(error.message, "internal error");
    assert.equal(lab.takeErrors().length, 1);
  });
}

const STREAM_FAILURES: Record<string, readonly [handler: unknown, messages: number]> = {
  "returns no iterable": [() => ({}), 0],
  "returns undefined": [() => undefined, 0],
  "resolves with a string": [async () => "text", 0],
  throws: [
    () => {
      throw new Error("secret");
    },
    0,
  ],
  "throws in the middle of a sync iterable": [
    function* () {
      yield { text: "1" };
      throw new Error("secret");
    },
    1,
  ],
  "throws in the middle of an async iterable": [
    async function* () {
      yield { text: "1" };
      yield { text: "2" };
      throw new Error("secret");
    },
    2,
  ],
  "yields undefined": [() => [{ text: "1" }, undefined], 1],
  "yields a message that cannot be encoded": [() => [{ text: "1" }, { number: "x" }, { text: "3" }], 1],
  "has an iterator that throws when it is made": [
    () => ({
      [Symbol.iterator]() {
        throw new Error("secret");
      },
    }),
    0,
  ],
};

for (const [what, [handler, messages]] of Object.entries(STREAM_FAILURES)) {
  test(`a streaming handler that ${what}: what it yielded arrives, then INTERNAL`, async (t) => {
    const lab = await useServer(t, withHandlers({ download: handler as never }), { over: "memory" });
    const received: unknown[] = [];
    const reading = async (): Promise<void> => {
      for await (const note of lab.client(Lab).download({})) received.push(note);
    };
    const error = await failureOf(reading(), INTERNAL);
    assert.equal(error.message, "internal error");
    assert.equal(received.length, messages);
    assert.equal(lab.takeErrors().length, 1);
  });
}

test("a generator is told to return when one of its messages cannot be sent", async (t) => {
  const log: string[] = [];
  const lab = await useServer(
    t,
    withHandlers({
      *download() {
        try {
          yield { number: "x" as unknown as number };
        } finally {
          log.push("finally");
        }
      },
    }),
    { over: "memory" },
  );
  await failureOf(collect(lab.client(Lab).download({})), INTERNAL);
  assert.deepEqual(log, ["finally"]);
  lab.takeErrors();
});

test("an RpcError in the middle of a stream goes out as it is, with trailers", async (t) => {
  const lab = await useServer(
    t,
    withHandlers({
      async *download(_request, call) {
        yield { text: "1" };
        call.trailers.set("x-t", "1");
        throw new RpcError(NOT_FOUND, "no more");
      },
    }),
  );
  const error = await failureOf(collect(lab.client(Lab).download({})), NOT_FOUND);
  assert.equal(error.metadata.get("x-t"), "1");
});

test("a detail that cannot be encoded does not leave the client without an answer", async (t) => {
  const broken = badRequest({ a: "b" });
  (broken.message as { fieldViolations: unknown }).fieldViolations = [{ field: 5 }];
  const lab = await useServer(
    t,
    withHandlers({
      async unary() {
        throw new RpcError(NOT_FOUND, "x", { details: [broken] });
      },
    }),
    { over: "memory" },
  );
  await failureOf(lab.client(Lab).unary({}), INTERNAL);
  assert.equal(lab.takeErrors().length, 1);
});

test("what a handler throws after its call has ended is reported, and changes nothing", async (t) => {
  const gate = Promise.withResolvers<void>();
  const lab = await useServer(
    t,
    withHandlers({
      async unary(_request, call) {
        await gate.promise;
        assert.equal(call.signal.aborted, true);
        throw new Error("too late");
      },
    }),
  );
  const controller = new AbortController();
  const call = lab.client(Lab).unary({}, { signal: controller.signal });
  await eventually("the handler to run", () => lab.server.handlerCount === 1);
  controller.abort();
  await failureOf(call, CANCELLED);
  await eventually("the server to hear of it", () => lab.server.streamCount === 0);
  assert.equal(lab.server.handlerCount, 1);
  gate.resolve();
  await eventually("the handler to finish", () => lab.server.handlerCount === 0);
  assert.deepEqual(lab.takeErrors().map(String), ["Error: too late"]);
});

test("an error of another client call inside a handler is not passed off as the handler's own", async (t) => {
  const lab = await useServer(
    t,
    withHandlers({
      unary: ({ text }) => {
        if (text === "backend") throw new RpcError(NOT_FOUND, "secret of the backend");
        return inner.unary({ text: "backend" });
      },
      async *download() {
        yield await inner.unary({ text: "backend" }).catch((error) => {
          throw RpcError.from(error);
        });
      },
    }),
    { over: "memory" },
  );
  const inner = lab.client(Lab);
  const error = await failureOf(inner.unary({ text: "front" }), INTERNAL);
  assert.equal(error.message, "internal error");
  assert.match(String(lab.takeErrors()[0]), /secret of the backend/);
  const forwarded = await failureOf(collect(inner.download({})), NOT_FOUND);
  assert.equal(forwarded.message, "secret of the backend");
});

const BROKEN_REPORTERS: Record<string, () => void | Promise<void>> = {
  throws: () => {
    throw new Error("broken");
  },
  rejects: () => Promise.reject(new Error("broken")),
};

for (const [how, onError] of Object.entries(BROKEN_REPORTERS)) {
  test(`an onError that ${how} is written to stderr and costs nothing`, async (t) => {
    const unary: Unary = () => Promise.reject(new Error("x"));
    const lab = await useServer(t, withHandlers({ unary }), { over: "memory", server: { onError } });
    const written: string[] = [];
    t.mock.method(process.stderr, "write", (text: string) => written.push(text) > 0);
    const client = lab.client(Lab);
    await failureOf(client.unary({}), INTERNAL);
    await failureOf(client.unary({}), INTERNAL);
    assert.deepEqual(written, Array(2).fill("volant: onError itself failed: Error: broken\n"));
  });
}

test("a getter that ends the call while its message is encoded leaves one end, not two", async (t) => {
  let ends = 0;
  const lab = await useServer(
    t,
    withHandlers({
      unary: (_request, call) => {
        call.onEnd(() => ends++);
        return {
          get text() {
            void lab.server.close();
            return "x";
          },
        };
      },
    }),
    { over: "memory" },
  );
  await failureOf(lab.client(Lab).unary({}), StatusCode.UNAVAILABLE);
  assert.equal(ends, 1);
});
