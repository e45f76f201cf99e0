/** Compressed calls that end at moments when messages wait for a thread or for their reader. gRPC compression.md. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { compressionThreads } from "../../src/compression/threads.ts";
import { RpcError, StatusCode } from "../../src/index.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually, useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { failureOf, withHandlers } from "../server/support/lab-service.ts";
import { prefixed, RawPeer, call as request } from "../server/support/raw-peer.ts";

const SENDS = { compression: { send: "gzip" } } as const;

test("answers that wait to be compressed are dropped with their connection", async (t) => {
  // Random, so that each keeps its thread for long enough.
  const body = randomBytes(1_000_000);
  const lab = await useServer(t, withHandlers({ unary: () => ({ body }) }), { server: SENDS });
  const peer = await RawPeer.ready(lab);
  for (let id = 1; id < 60; id += 2) {
    const headers = request(id, "Unary", [["grpc-accept-encoding", "gzip"]]);
    peer.send(headers, frames.data(id, prefixed(Buffer.alloc(0))).endStream());
  }
  await eventually("answers to wait", () => compressionThreads.waitingCount > 10);
  peer.socket.destroy();
  await eventually("the connection to be gone", () => lab.server.connectionCount === 0);
  assert.equal(compressionThreads.waitingCount, 0);
  await eventually("what has begun to end", () => compressionThreads.runningCount === 0);
});

test("a client without limits takes compressed answers of every size", async (t) => {
  const lab = await useServer(t, withHandlers({ unary: ({ number }) => ({ text: "a".repeat(number) }) }), {
    server: SENDS,
  });
  const unlimited = { maxReceiveMessageBytes: Number.POSITIVE_INFINITY, maxBufferedBytes: Number.POSITIVE_INFINITY };
  for (const offLoopBytes of [0, 32_768, Number.POSITIVE_INFINITY]) {
    const client = lab.client(Lab, { ...unlimited, compression: { offLoopBytes } });
    for (const number of [0, 2_000, 5_000_000]) assert.equal((await client.unary({ number })).text.length, number);
  }
});

for (const send of ["identity", "gzip"] as const) {
  test(`RFC 9113 §8.1 ${send}: a server that ends early is heard out, although the client still sends`, async (t) => {
    const text = "b".repeat(12_000);
    const lab = await useServer(
      t,
      withHandlers({
        async *chat(requests) {
          for await (const _ of requests) break;
          for (let number = 0; number < 5; number++) yield { text, number };
          throw new RpcError(StatusCode.ABORTED, "no more");
        },
      }),
      { server: { compression: { send } } },
    );
    const client = lab.client(Lab, { compression: { send } });
    const chat = client.chat();
    await chat.send({ text });
    const reader = chat[Symbol.asyncIterator]();
    const numbers = [(await reader.next()).value?.number];
    // Its reset is behind an answer of which a part waits for the reader.
    await eventually("the server to be done", () => lab.server.streamCount === 0);
    await client.unary({ text: "behind it" });
    const late = chat.send({ text });
    const rest = (async () => {
      for (let step = await reader.next(); !step.done; step = await reader.next()) numbers.push(step.value.number);
    })();
    assert.equal((await failureOf(rest, StatusCode.ABORTED)).message, "no more");
    assert.deepEqual(numbers, [0, 1, 2, 3, 4]);
    // Nothing can be sent on a call that the server has ended, and the writer learns with what it was ended.
    assert.equal((await failureOf(late, StatusCode.ABORTED)).message, "no more");
  });
}
