/** Two copies of the package in one process: what one makes, the other takes for what it is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as library from "../../src/index.ts";
import { processBudget } from "../../src/stream/buffer-budget.ts";
import { useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { withHandlers } from "../server/support/lab-service.ts";
import { importFromCopy } from "./second-copy.ts";

const copy = await importFromCopy<typeof library>("index.ts");
const { RpcError, StatusCode } = library;

test("instanceof RpcError holds for an error of another copy, in both directions", () => {
  assert.notEqual(copy.RpcError, RpcError);
  assert.ok(new copy.RpcError(StatusCode.NOT_FOUND) instanceof RpcError);
  assert.ok(new RpcError(StatusCode.NOT_FOUND) instanceof copy.RpcError);
});

test("instanceof RpcError is false for what only looks like one, and a subclass has its own instances only", () => {
  class Refusal extends RpcError {}
  const plain = Object.assign(new Error("x"), { name: "RpcError", code: StatusCode.NOT_FOUND, details: [] });
  assert.equal(plain instanceof RpcError, false);
  for (const value of [null, undefined, "RpcError", 5, Object.create(null)])
    assert.equal(value instanceof RpcError, false);
  assert.ok(new Refusal(StatusCode.ABORTED) instanceof Refusal);
  assert.ok(new Refusal(StatusCode.ABORTED) instanceof RpcError);
  assert.equal(new RpcError(StatusCode.ABORTED) instanceof Refusal, false);
  assert.equal(new copy.RpcError(StatusCode.ABORTED) instanceof Refusal, false);
});

test("an RpcError of another copy leaves a handler as it is: code, message, details and trailers", async (t) => {
  const lab = await useServer(
    t,
    withHandlers({
      unary() {
        throw new copy.RpcError(StatusCode.FAILED_PRECONDITION, "not yet", {
          details: [copy.retryInfo({ delayMs: 5 })],
          metadata: { "x-hint": "later" },
        });
      },
    }),
  );
  const error = await lab
    .client(Lab)
    .unary({ text: "a" })
    .catch((thrown: unknown) => thrown);
  assert.ok(error instanceof RpcError);
  assert.deepEqual([error.code, error.message], [StatusCode.FAILED_PRECONDITION, "not yet"]);
  assert.equal(error.details.length, 1);
  assert.equal(error.metadata.get("x-hint"), "later");
});

test("an error of a client call of another copy is no answer of the handler that lets it pass", async (t) => {
  const lab = await useServer(
    t,
    withHandlers({
      async unary({ text }) {
        if (text === "inner") throw new RpcError(StatusCode.NOT_FOUND, "a secret of the other service");
        return await copy.createClient(Lab, inner).unary({ text: "inner" });
      },
    }),
  );
  const inner = new copy.Channel(lab.target);
  lab.defer(() => inner.close());
  const error = await lab
    .client(Lab)
    .unary({ text: "outer" })
    .catch((thrown: unknown) => thrown);
  assert.ok(error instanceof RpcError);
  assert.deepEqual([error.code, error.message], [StatusCode.INTERNAL, "internal error"]);
  const [reported] = lab.takeErrors();
  assert.ok(reported instanceof RpcError && reported.code === StatusCode.NOT_FOUND);
});

test("RpcError.from and Metadata.from copy what another copy made", () => {
  const thrown = new copy.RpcError(StatusCode.ABORTED, "again", { metadata: { "x-a": "1" } });
  Object.assign(thrown, { origin: "client" });
  const copied = RpcError.from(thrown);
  assert.deepEqual([copied.code, copied.message, copied.origin], [StatusCode.ABORTED, "again", "application"]);
  assert.equal(copied.metadata.get("x-a"), "1");
  const metadata = library.Metadata.from(new copy.Metadata().append("x-b", "2"));
  assert.deepEqual([...metadata], [["x-b", "2"]]);
});

test("a call that a channel of another copy makes inside a handler inherits its deadline", async (t) => {
  const lab = await useServer(
    t,
    withHandlers({
      async unary({ text }, call) {
        if (text === "inner") return { text: String(call.remainingMs) };
        return await copy.createClient(Lab, inner).unary({ text: "inner" });
      },
    }),
  );
  const inner = new copy.Channel(lab.target);
  lab.defer(() => inner.close());
  const { text } = await lab.client(Lab).unary({ text: "outer" }, { timeoutMs: 60_000 });
  assert.ok(Number(text) <= 60_000, text);
});

test("the memory budgets and the threads for compression are of the process, however many copies there are", async () => {
  const budget = await importFromCopy<typeof import("../../src/stream/buffer-budget.ts")>("stream/buffer-budget.ts");
  const threads = await importFromCopy<typeof import("../../src/compression/threads.ts")>("compression/threads.ts");
  const { compressionThreads } = await import("../../src/compression/threads.ts");
  assert.equal(budget.processBudget, processBudget);
  assert.equal(threads.compressionThreads, compressionThreads);
  const unsent = await importFromCopy<typeof import("../../src/stream/unsent-share.ts")>("stream/unsent-share.ts");
  const { processUnsent } = await import("../../src/stream/unsent-share.ts");
  assert.equal(unsent.processUnsent, processUnsent);
});

test("large messages compressed by two copies take turns for the same threads", async (t) => {
  const lab = await useServer(t, withHandlers({ unary: ({ body }) => ({ body }) }), {
    server: { compression: { send: "gzip" } },
  });
  const channels = [new library.Channel(lab.target), new copy.Channel(lab.target)] as const;
  lab.defer(() => Promise.all(channels.map((channel) => channel.close())));
  const body = Buffer.alloc(300_000, "volant");
  const clients = [library.createClient(Lab, channels[0]), copy.createClient(Lab, channels[1])];
  const calls = clients.flatMap((client) =>
    Array.from({ length: 8 }, () => client.unary({ body }, { compression: "gzip" })),
  );
  for (const { body: echoed } of await Promise.all(calls)) assert.equal(echoed.length, body.length);
});

test("TlsCredentials of another copy are accepted as such", () => {
  assert.ok(new copy.TlsCredentials({}) instanceof library.TlsCredentials);
  assert.equal({} instanceof library.TlsCredentials, false);
});
