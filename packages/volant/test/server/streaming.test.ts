/** Pace and memory of streams: what a peer that does not read, or sends much, can make the server hold. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server } from "../../src/index.ts";
import { DEFAULT_MAX_BUFFERED_BYTES, processBudget } from "../../src/stream/buffer-budget.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually, useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { collect, withHandlers } from "./support/lab-service.ts";
import { prefixed, RawPeer, call as request } from "./support/raw-peer.ts";

const MIB = 1024 * 1024;
const EMPTY = prefixed(Buffer.alloc(0));

/** Turns of the event loop in which nothing more happens. */
async function quiet(progress: () => number): Promise<void> {
  for (let still = 0, last = progress(); still < 200; still++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (progress() === last) continue;
    last = progress();
    still = 0;
  }
}

test("a hundred streams that nobody reads stop their handlers within the bounds of their queues", async (t) => {
  const made = new Map<number, number>();
  const lab = await useServer(
    t,
    withHandlers({
      async *download({ number }) {
        const body = new Uint8Array(10_000);
        for (let at = 1; ; at++) {
          made.set(number, at);
          yield { body };
        }
      },
    }),
  );
  const peer = await RawPeer.ready(lab, 1_000);
  for (let at = 0; at < 100; at++) {
    // Field 2, varint.
    const message = prefixed(Buffer.of(0x10, at));
    peer.send(request(1 + 2 * at, "Download"), frames.data(1 + 2 * at, message).endStream());
  }
  const total = (): number => [...made.values()].reduce((sum, count) => sum + count, 0);
  await eventually("every handler to begin", () => made.size === 100);
  await quiet(total);
  for (const [stream, count] of made) {
    // A stream's queue holds 64 KiB and the message that fills it; what is made beyond that waits in the generator.
    assert.ok(count <= 9, `stream ${stream} made ${count} messages of 10,000 octets`);
  }
  assert.equal(lab.server.streamCount, 100);
  // Whoever reads again gets more, and only that stream goes on.
  const before = made.get(0)!;
  const others = total() - before;
  peer.send(frames.windowUpdate(1, 200_000), frames.windowUpdate(0, 200_000));
  await eventually("the stream that is read to go on", () => made.get(0)! > before + 5);
  await quiet(total);
  assert.equal(total() - made.get(0)!, others);
  peer.socket.destroy();
});

test("a sync generator is held to the same bounds, and does not stop other calls", async (t) => {
  let made = 0;
  const lab = await useServer(
    t,
    withHandlers({
      *download() {
        for (;;) yield { body: new Uint8Array(1_000), number: made++ };
      },
    }),
  );
  const peer = await RawPeer.ready(lab, 1_000);
  peer.send(request(1, "Download"), frames.data(1, EMPTY).endStream());
  await eventually("it to begin", () => made > 0);
  await quiet(() => made);
  assert.ok(made <= 70, `${made} messages of 1,000 octets`);
  assert.equal((await lab.client(Lab).unary({ text: "x" })).text, "echo x");
  peer.socket.destroy();
});

test("a download is made at the pace of a reader that is slow", async (t) => {
  let made = 0;
  const lab = await useServer(
    t,
    withHandlers({
      async *download() {
        for (; made < 2_000; made++) yield { body: new Uint8Array(10_000) };
      },
    }),
  );
  let read = 0;
  for await (const _ of lab.client(Lab).download({})) {
    if (++read === 100) {
      await quiet(() => made);
      assert.ok(made < 1_900, `${made} messages made when 100 were read`);
    }
  }
  assert.equal(read, 2_000);
});

test("an upload is taken at the pace of a handler that is slow", async (t) => {
  const gate = Promise.withResolvers<void>();
  const lab = await useServer(
    t,
    withHandlers({
      async upload(requests) {
        let number = 0;
        for await (const _ of requests) if (++number === 10) await gate.promise;
        return { number };
      },
    }),
  );
  let sent = 0;
  const requests = function* () {
    for (; sent < 1_000; sent++) yield { body: new Uint8Array(10_000) };
  };
  const upload = lab.client(Lab).upload(requests());
  await eventually("the upload to begin", () => sent > 10);
  await quiet(() => sent);
  assert.ok(sent < 500, `${sent} messages sent when 10 were taken`);
  gate.resolve();
  assert.equal((await upload).number, 1_000);
});

test("a hundred uploads of 4 MiB at once, taken slowly, all complete", { timeout: 100_000 }, async (t) => {
  let waiting = 0;
  const lab = await useServer(
    t,
    withHandlers({
      async upload(requests) {
        let number = 0;
        for await (const { body } of requests) {
          number += body.length;
          waiting++;
          for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
          waiting--;
        }
        return { number };
      },
    }),
    // One client holds at most half.
    { server: { maxBufferedBytes: 840 * MIB } },
  );
  const body = new Uint8Array(4 * MIB - 64);
  const client = lab.client(Lab);
  const answers = await Promise.all(Array.from({ length: 100 }, () => client.upload([{ body }])));
  assert.deepEqual(
    answers.map(({ number }) => number),
    Array(100).fill(body.length),
  );
  assert.equal(waiting, 0);
});

test("an upload that finds no room in maxBufferedBytes is refused, and those under way complete", async (t) => {
  const lab = await useServer(t, withHandlers({}), { server: { maxBufferedBytes: 3 * MIB } });
  const peer = await RawPeer.ready(lab);
  // Field 3, bytes, 1,000,000 octets.
  const message = Buffer.concat([Buffer.of(0x1a, 0xc0, 0x84, 0x3d), Buffer.alloc(1_000_000)]);
  const body = prefixed(message);
  const send = (id: number, from: number, to: number): void => {
    for (let at = from; at < to; at += 16_384) peer.send(frames.data(id, body.subarray(at, Math.min(to, at + 16_384))));
  };
  for (const id of [1, 3]) {
    peer.send(request(id, "Upload"));
    send(id, 0, 900_000);
  }
  peer.send(request(5, "Upload"), frames.data(5, body.subarray(0, 1_000)));
  assert.match((await peer.answer(5))[0]!, /grpc-status=8 grpc-message=too many large messages are under way/);
  for (const id of [1, 3]) {
    send(id, 900_000, body.length);
    peer.send(frames.data(id, "").endStream());
    assert.match((await peer.answer(id)).at(-1)!, /grpc-status=0/);
  }
  peer.send(request(7, "Upload"), frames.data(7, body.subarray(0, 1_000)));
  peer.send(frames.ping("received"));
  await peer.line(/^PING/);
  assert.equal(
    peer.lines.some((line) => line.includes(" 7 ")),
    false,
    "there is room again",
  );
  peer.send(frames.rstStream(7, 8));
});

test("64 prefixes that declare 4 MiB refuse nobody: an upload of the same client still arrives, in steps", async (t) => {
  const lab = await useServer(
    t,
    withHandlers({ upload: async (requests) => ({ number: (await collect(requests)).length }) }),
  );
  const peer = await RawPeer.ready(lab);
  for (let id = 1; id < 129; id += 2) {
    peer.send(request(id, "Upload"), frames.data(id, prefixed(Buffer.alloc(0), 0, 4 * MIB)));
  }
  peer.send(frames.ping("received"));
  await peer.line(/^PING/);
  assert.equal(processBudget.usedBytes, 0, "nothing is held");
  assert.equal(processBudget.promised.usedBytes, DEFAULT_MAX_BUFFERED_BYTES / 2);
  // The same address, whose share of promises is used up.
  const requests = Array.from({ length: 3 }, () => ({ body: new Uint8Array(3 * MIB) }));
  assert.equal((await lab.client(Lab).upload(requests)).number, 3);
  peer.socket.destroy();
  await eventually("the promises to be settled", () => processBudget.promised.usedBytes === 0);
});

test("uploads count by what arrived of them, not by what they declare", async (t) => {
  const lab = await useServer(t, withHandlers({}));
  const peer = await RawPeer.ready(lab);
  const start = prefixed(Buffer.alloc(10_000), 0, 1_000_000);
  for (const id of [1, 3, 5, 7]) peer.send(request(id, "Upload"), frames.data(id, start));
  await eventually("all four to be held", () => processBudget.usedBytes >= 40_000);
  assert.ok(processBudget.usedBytes <= 80_000 + 4 * 1_024, `${processBudget.usedBytes} octets for 40,000`);
  peer.socket.destroy();
});

test("a message that has arrived and is not taken counts, until it is", async (t) => {
  const gate = Promise.withResolvers<void>();
  const lab = await useServer(
    t,
    withHandlers({
      async upload(requests) {
        await gate.promise;
        return { number: (await collect(requests)).length };
      },
    }),
    { server: { maxBufferedBytes: 1_500_000 } },
  );
  const peer = await RawPeer.ready(lab);
  const body = prefixed(Buffer.concat([Buffer.of(0x1a, 0xc0, 0x84, 0x3d), Buffer.alloc(1_000_000)]));
  peer.send(request(1, "Upload"));
  for (let at = 0; at < body.length; at += 16_384) peer.send(frames.data(1, body.subarray(at, at + 16_384)));
  peer.send(frames.data(1, "").endStream());
  peer.send(request(3, "Upload"), frames.data(3, body.subarray(0, 1_000)));
  assert.match((await peer.answer(3))[0]!, /grpc-status=8/);
  gate.resolve();
  assert.match((await peer.answer(1)).at(-1)!, /grpc-status=0/);
  peer.send(request(5, "Upload"), frames.data(5, body.subarray(0, 1_000)), frames.ping("received"));
  await peer.line(/^PING/);
  assert.equal(
    peer.lines.some((line) => line.includes(" 5 ")),
    false,
    "there is room again",
  );
  peer.send(frames.rstStream(5, 8));
});

test("a handler that leaves its requests does not stop the client's stream, and holds nothing of it", async (t) => {
  const left = Promise.withResolvers<void>();
  const lab = await useServer(
    t,
    withHandlers({
      async *chat(requests) {
        for await (const _ of requests) break;
        left.resolve();
        yield { text: "left" };
        await done.promise;
      },
    }),
  );
  const done = Promise.withResolvers<void>();
  const chat = lab.client(Lab).chat();
  await chat.send({});
  await left.promise;
  // Far more than any window: it is consumed unread.
  for (let at = 0; at < 100; at++) await chat.send({ body: new Uint8Array(50_000) });
  done.resolve();
  assert.equal((await collect(chat)).length, 1);
});

test("a process-wide budget is shared by servers that name none of their own", async (t) => {
  const lab = await useServer(t, withHandlers({}));
  const other = new Server();
  lab.defer(() => other.close());
  withHandlers({})(other);
  const peer = await RawPeer.ready(lab);
  peer.send(request(1, "Upload"), frames.data(1, prefixed(Buffer.alloc(2_000), 0, 3_000)));
  await eventually("it to be counted", () => processBudget.usedBytes === 3_000);
  peer.socket.destroy();
});
