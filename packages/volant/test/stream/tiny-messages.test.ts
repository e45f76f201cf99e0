/**
 * RUSTSEC-2026-0258 at the level of messages: thousands of tiny ones in a queue that nobody reads. The attack, and
 * the honest stream that looks much like it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { ServerStream } from "../../src/server/server-stream.ts";
import type { Inbound } from "../../src/stream/inbound.ts";
import { MESSAGE_OVERHEAD_BYTES } from "../../src/stream/late-messages.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually, useServer } from "../../src/testing/index.ts";
import { Lab, NoteSchema } from "../gen/lab_pb.ts";
import { withHandlers } from "../server/support/lab-service.ts";
import { call, prefixed, RawPeer } from "../server/support/raw-peer.ts";

/** The octets that a stream may send before anything is consumed. */
const WINDOW = 65_535;

test("RUSTSEC-2026-0258 a window full of empty messages that nobody reads costs octets, not objects", async (t) => {
  let admitted: (() => void) | undefined;
  let decoded = 0;
  let inbound: Inbound | undefined;
  const release = new Promise<void>((resolve) => {
    admitted = resolve;
  });
  const counts: number[] = [];
  const lab = await useServer(
    t,
    withHandlers({
      async upload(requests) {
        await release;
        let count = 0;
        for await (const _note of requests) count++;
        counts.push(count);
        return { number: count };
      },
    }),
    { server: { interceptors: [() => ({ onRequest: () => void decoded++ })] } },
  );
  const begin = ServerStream.prototype.begin;
  t.mock.method(ServerStream.prototype, "begin", function (this: ServerStream) {
    inbound = (this as unknown as { inbound: Inbound }).inbound;
    begin.call(this);
  });
  const peer = await RawPeer.ready(lab);
  const count = Math.floor(WINDOW / 5);
  const bytes = Buffer.alloc(count * 5);
  peer.send(call(1, "Upload"));
  for (let at = 0; at < bytes.length; at += 16_000) {
    const part = bytes.subarray(at, at + 16_000);
    const frame = frames.data(1, part);
    peer.send(at + part.length === bytes.length ? frame.endStream() : frame);
  }
  await eventually("the whole request", () => inbound?.pendingBytes !== undefined && isAllThere(inbound, bytes.length));
  assert.ok(decoded <= 300, `${decoded} of ${count} messages were decoded for nobody`);
  assert.ok(inbound!.backlogBytes <= 2 * WINDOW + 1_024, `${inbound!.backlogBytes} octets wait`);
  admitted!();
  assert.match((await peer.answer(1)).join("\n"), /grpc-status=0/);
  assert.deepEqual(counts, [count], "and none of them is lost");
});

function isAllThere(inbound: Inbound, total: number): boolean {
  const handedOver = (inbound.aheadBytes / (MESSAGE_OVERHEAD_BYTES + 5)) * 5;
  return inbound.pendingBytes + handedOver === total;
}

test("the honest extreme: 10,000 messages of 20 to 600 octets on 100 streams, with a slow reader, all arrive in order", async (t) => {
  const lab = await useServer(
    t,
    withHandlers({
      async upload(requests) {
        let next = 0;
        for await (const { number } of requests) {
          assert.equal(number, next++);
          await new Promise((resolve) => setImmediate(resolve));
        }
        return { number: next };
      },
    }),
  );
  const client = lab.client(Lab);
  async function* notes(stream: number) {
    for (let number = 0; number < 100; number++)
      yield { number, text: "x".repeat(15 + ((stream * 37 + number * 131) % 580)) };
  }
  const uploads = Array.from({ length: 100 }, (_, stream) => client.upload(notes(stream)));
  const answers = await Promise.all(uploads.map((upload) => upload));
  assert.deepEqual(new Set(answers.map(({ number }) => number)), new Set([100]));
});

test("messages that arrive faster than they are read keep their order on both sides, and the end comes last", async (t) => {
  const lab = await useServer(t, withHandlers({}));
  const client = lab.client(Lab);
  const download = client.download({ text: "n", number: 5_000 });
  const reader = download[Symbol.asyncIterator]();
  assert.equal((await reader.next()).value?.number, 0);
  // Whatever the windows hold arrives while nobody reads.
  await client.unary({});
  const numbers: number[] = [];
  for (let next = await reader.next(); !next.done; next = await reader.next()) numbers.push(next.value.number);
  assert.deepEqual(
    numbers,
    Array.from({ length: 4_999 }, (_, at) => at + 1),
  );
});

test("a message that cannot be decoded fails the call in its place, also when it is read late", async (t) => {
  const good = prefixed(toBinary(NoteSchema, create(NoteSchema, { text: "good" })));
  const bad = prefixed(Buffer.of(0xff, 0xff));
  const seen: string[] = [];
  const lab = await useServer(
    t,
    withHandlers({
      async upload(requests) {
        for await (const { text } of requests) seen.push(text);
        return {};
      },
    }),
  );
  const peer = await RawPeer.ready(lab);
  const many = Buffer.concat([...Array.from({ length: 1_000 }, () => good), bad, good]);
  peer.send(call(1, "Upload"), frames.data(1, many).endStream());
  assert.match((await peer.answer(1)).join("\n"), /grpc-status=13 .*cannot be decoded/);
  assert.ok(seen.length <= 1_000 && seen.every((text) => text === "good"), `${seen.length} messages were seen`);
});
