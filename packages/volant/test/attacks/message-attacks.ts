/**
 * Attacks by messages that are legal frames: too many, too large, or larger than they look. CVE-2024-37168 and its kin.
 */
import { gzipSync } from "node:zlib";
import type { Server } from "../../src/index.ts";
import type { ResolvedServerOptions } from "../../src/server/server-options.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually } from "../../src/testing/index.ts";
import type { LabHandlers } from "../server/support/lab-service.ts";
import { call, prefixed } from "../server/support/raw-peer.ts";
import { MemoryPeer } from "./memory-peer.ts";
import { assertUnhurt, type ServerAttack, scene } from "./server-attack.ts";
import { turns } from "./virtual-time.ts";

const OFF = Number.POSITIVE_INFINITY;
const EMPTY = prefixed(Buffer.alloc(0));
const STREAM_WINDOW_BYTES = 65_535;
const FRAME_BYTES = 16_384;
const MAX_MESSAGE_BYTES = 4_194_304;
const ANSWER = /^HEADERS 1 .*grpc-status=/;
const GZIP = [["grpc-encoding", "gzip"]] as const;

/** A Note of that many octets, all of them its body. */
function noteOf(octets: number): Buffer {
  const head = Buffer.from([0x1a, 0, 0, 0, 0]);
  // A length of four octets of seven bits each, whatever it is.
  for (let at = 0, rest = octets - head.length; at < 4; at++, rest >>>= 7)
    head[1 + at] = (rest & 0x7f) | (at < 3 ? 0x80 : 0);
  return Buffer.concat([head, Buffer.alloc(octets - head.length)]);
}

function sendBody(peer: MemoryPeer, body: Buffer, ends: boolean, id = 1): void {
  for (let at = 0; at < body.length; at += FRAME_BYTES) {
    const frame = frames.data(id, body.subarray(at, at + FRAME_BYTES));
    peer.send(ends && at + FRAME_BYTES >= body.length ? frame.endStream() : frame);
  }
}

/** Answers how much it got. */
const sizes: Partial<LabHandlers> = { unary: ({ body: { length } }) => ({ number: length }) };

/** The stream's window full of empty messages. */
const crowd = Buffer.concat(Array.from({ length: Math.floor(STREAM_WINDOW_BYTES / EMPTY.length) }, () => EMPTY));

const unreadCrowd: ServerAttack = {
  name: "13,107 empty messages in one window, for a handler that reads none",
  cve: "RUSTSEC-2026-0258",
  rule: "messages decoded ahead of their reader count 128 octets more than they had; those beyond stay octets until they are taken",
  options: ["decodeAheadBytes 32,768"],
  counter: "reader-behind",
  unit: "messages decoded for nobody",
  allowed: 300,
  off: { decodeAheadBytes: OFF },
  play: (options) => {
    let decoded = 0;
    const released = Promise.withResolvers<void>();
    return scene(
      { interceptors: [() => ({ onRequest: () => void decoded++ })], ...options },
      { upload: () => released.promise.then(() => ({})) },
      async ({ server }) => {
        const peer = await MemoryPeer.ready(server);
        peer.send(call(1, "Upload"));
        sendBody(peer, crowd, true);
        await turns();
        return { got: decoded, counted: server.stats().faults["reader-behind"] ?? 0 };
      },
      released.resolve,
    );
  },
  honest: {
    name: "13,107 empty messages in one window, for a handler that takes one in each turn of the event loop",
    play: () => {
      let taken = 0;
      return scene(
        {},
        {
          async upload(requests) {
            for await (const _note of requests) {
              taken++;
              await new Promise((resolve) => setImmediate(resolve));
            }
            return { number: taken };
          },
        },
        async ({ server }) => {
          const peer = await MemoryPeer.ready(server);
          peer.send(call(1, "Upload"));
          sendBody(peer, crowd, true);
          await eventually("the answer", () => peer.countOf(ANSWER) === 1);
          if (taken !== crowd.length / EMPTY.length) throw new Error(`${taken} messages were taken`);
          assertUnhurt(server, "reader-behind");
        },
      );
    },
  },
};

const declared: ServerAttack = {
  name: "a message that says it has 2 GiB",
  cve: "CVE-2024-37168",
  rule: "the length is judged when the prefix is complete, before an octet of the message is kept or granted",
  options: ["maxReceiveMessageBytes 4,194,304"],
  counter: "message-refused",
  unit: "octets of it taken in",
  allowed: STREAM_WINDOW_BYTES,
  off: { maxReceiveMessageBytes: OFF, maxBufferedBytes: OFF },
  play: (options) =>
    scene(options, {}, async ({ server }) => {
      const peer = await MemoryPeer.ready(server);
      peer.send(call(1, "Unary"));
      sendBody(peer, prefixed(Buffer.alloc(10_000), 0, 0x7fff_ffff), false);
      await turns();
      let got = 10_000;
      for (; peer.countOf(ANSWER) === 0 && got < 2 * MAX_MESSAGE_BYTES; got += FRAME_BYTES) {
        peer.send(frames.data(1, FRAME_BYTES));
        await turns(2);
      }
      return { got, counted: server.stats().faults["message-refused"] ?? 0 };
    }),
  honest: {
    name: "a message of exactly 4 MiB",
    play: () => answered(prefixed(noteOf(MAX_MESSAGE_BYTES)), []),
  },
};

const bomb: ServerAttack = {
  name: "a message of 32 KiB that inflates to 32 MiB",
  cve: "CVE-2026-48854",
  rule: "inflating stops at the size that a message may have",
  options: ["maxReceiveMessageBytes 4,194,304"],
  counter: "message-refused",
  unit: "octets inflated for the handler",
  allowed: MAX_MESSAGE_BYTES,
  off: { maxReceiveMessageBytes: OFF },
  play: (options) => {
    let got = 0;
    const unary = ({ body }: { body: Uint8Array }): object => {
      got = body.length;
      return {};
    };
    return scene(options, { unary }, async ({ server }) => {
      const peer = await MemoryPeer.ready(server);
      peer.send(call(1, "Unary", GZIP));
      sendBody(peer, prefixed(gzipSync(noteOf(8 * MAX_MESSAGE_BYTES)), 1), true);
      await eventually("the answer", () => peer.countOf(ANSWER) === 1);
      return { got, counted: server.stats().faults["message-refused"] ?? 0 };
    });
  },
  honest: {
    name: "a message of 4 KiB that inflates to exactly 4 MiB",
    play: () => answered(prefixed(gzipSync(noteOf(MAX_MESSAGE_BYTES)), 1), GZIP),
  },
};

const BUFFERED_BYTES = 33_554_432;
/** What a scene needs to see how much is held. */
const heldBy = (server: Server): number =>
  (server as unknown as { options: ResolvedServerOptions }).options.limits.budget.usedBytes;

const hoard: ServerAttack = {
  name: "100 prefixes that declare 4 MiB, and 16 messages of 4 MiB that never end, of one client",
  cve: "CVE-2024-37168, slow POST",
  rule: "what messages in pieces hold is bounded for all; what was only declared holds nothing; a client has as much as it leaves to others",
  options: ["maxBufferedBytes 268,435,456"],
  counter: "message-refused",
  unit: "octets held for one client of 33,554,432 for all",
  // Half, and one message that has just begun.
  allowed: BUFFERED_BYTES / 2 + MAX_MESSAGE_BYTES,
  off: { maxBufferedBytes: OFF },
  play: (options) =>
    scene({ maxBufferedBytes: BUFFERED_BYTES, ...options }, sizes, async ({ server }) => {
      const idle = await MemoryPeer.ready(server, "192.0.2.1:1");
      for (let id = 1; id < 201; id += 2) {
        idle.send(call(id, "Unary"), frames.data(id, prefixed(Buffer.alloc(0), 0, MAX_MESSAGE_BYTES)));
      }
      const greedy = await MemoryPeer.ready(server, "192.0.2.1:2");
      const most = prefixed(noteOf(MAX_MESSAGE_BYTES)).subarray(0, MAX_MESSAGE_BYTES - FRAME_BYTES);
      for (let id = 1; id < 33; id += 2) {
        greedy.send(call(id, "Unary"));
        sendBody(greedy, most, false, id);
        await turns(2);
      }
      const got = heldBy(server);
      const other = await MemoryPeer.ready(server, "192.0.2.2:1");
      other.send(call(1, "Unary"));
      sendBody(other, prefixed(noteOf(MAX_MESSAGE_BYTES)), true);
      await turns();
      if (other.countOf(/^HEADERS 1 .*grpc-status=0/) !== 1) throw new Error("another client was not served");
      return { got, counted: server.stats().faults["message-refused"] ?? 0 };
    }),
  honest: {
    name: "four messages of 4 MiB at once, an eighth of all that may be held each",
    play: () =>
      scene({ maxBufferedBytes: BUFFERED_BYTES }, sizes, async ({ server }) => {
        const peer = await MemoryPeer.ready(server, "192.0.2.1:1");
        const body = prefixed(noteOf(MAX_MESSAGE_BYTES));
        const ids = [1, 3, 5, 7];
        for (const id of ids) {
          peer.send(call(id, "Unary"));
          sendBody(peer, body.subarray(0, -1), false, id);
        }
        await turns();
        if (heldBy(server) < 4 * (MAX_MESSAGE_BYTES - 1)) throw new Error("not all of them are held");
        for (const id of ids) peer.send(frames.data(id, body.subarray(-1)).endStream());
        await turns();
        if (peer.countOf(/^HEADERS . .*grpc-status=0/) !== 4) throw new Error(`not answered: ${peer.lines.join("; ")}`);
        assertUnhurt(server);
      }),
  },
};

/** Throws unless the call succeeds and nobody is blamed. */
function answered(body: Buffer, fields: Parameters<typeof call>[2]): Promise<void> {
  return scene({}, sizes, async ({ server }) => {
    const peer = await MemoryPeer.ready(server);
    peer.send(call(1, "Unary", fields));
    // The first frame tells how much is to come, and is granted the rest.
    sendBody(peer, body.subarray(0, FRAME_BYTES), body.length <= FRAME_BYTES);
    await turns();
    sendBody(peer, body.subarray(FRAME_BYTES), true);
    await eventually("the answer", () => peer.countOf(ANSWER) === 1);
    if (peer.countOf(/^HEADERS 1 .*grpc-status=0/) !== 1) throw new Error(`not answered: ${peer.lines.join("; ")}`);
    assertUnhurt(server);
  });
}

export const MESSAGE_ATTACKS: readonly ServerAttack[] = [unreadCrowd, declared, hoard, bomb];
