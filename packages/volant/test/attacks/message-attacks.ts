/**
 * Attacks by messages that are legal frames: too many, too large, or larger than they look. CVE-2024-37168 and its kin.
 */
import { gzipSync } from "node:zlib";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually } from "../../src/testing/index.ts";
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

function sendBody(peer: MemoryPeer, body: Buffer, ends: boolean): void {
  for (let at = 0; at < body.length; at += FRAME_BYTES) {
    const frame = frames.data(1, body.subarray(at, at + FRAME_BYTES));
    peer.send(ends && at + FRAME_BYTES >= body.length ? frame.endStream() : frame);
  }
}

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

/** Throws unless the call succeeds and nobody is blamed. */
function answered(body: Buffer, fields: Parameters<typeof call>[2]): Promise<void> {
  return scene({}, { unary: ({ body: { length } }) => ({ number: length }) }, async ({ server }) => {
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

export const MESSAGE_ATTACKS: readonly ServerAttack[] = [unreadCrowd, declared, bomb];
