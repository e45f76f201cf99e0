/**
 * Attacks with frames that are never complete, on a whole server: the core's own rows are in `data-attacks.ts` and
 * `header-attacks.ts`; here the bytes come through whatever wire the attack is played over, with TLS among them.
 */
import { frames } from "../../src/testing/frame-factory.ts";
import { call, prefixed } from "../server/support/raw-peer.ts";
import { MemoryPeer } from "./memory-peer.ts";
import { assertUnhurt, type ServerAttack, scene } from "./server-attack.ts";

const EMPTY = prefixed(Buffer.alloc(0));
/** A frame of 16,384 bytes and its header. */
const LARGE = frames
  .data(1, prefixed(Buffer.from([0x1a, 0xf7, 0x7f, ...Buffer.alloc(16_375)])))
  .endStream()
  .bytes();

const dripped: ServerAttack = {
  name: "a DATA frame that comes a byte a second, on a connection that is otherwise silent",
  cve: "slowloris",
  rule: "a frame that is not complete gains a KiB in each period; time in which the server does not read is not counted",
  options: ["http2.frameTimeoutMs 20,000"],
  counter: "frame-timeout",
  unit: "seconds of a connection",
  allowed: 22,
  off: { http2: { frameTimeoutMs: Number.POSITIVE_INFINITY }, requestIdleTimeoutMs: Number.POSITIVE_INFINITY },
  play: (options) =>
    scene(options, {}, async ({ server, time }) => {
      const peer = await MemoryPeer.ready(server);
      peer.send(call(1, "Unary"), LARGE.subarray(0, 100));
      let at = 100;
      const drip = (): void => peer.send(LARGE.subarray(at, ++at));
      const seconds = await time.secondsUntil(() => peer.isClosed || peer.countOf(/^GOAWAY/) > 0, 100, drip);
      return { got: seconds, counted: server.stats().faults["frame-timeout"] ?? 0 };
    }),
  honest: {
    name: "a DATA frame of 16 KiB over a link of 200 bytes a second",
    play: () =>
      scene({}, {}, async ({ server, time }) => {
        const peer = await MemoryPeer.ready(server);
        peer.send(call(1, "Unary"));
        for (let at = 0; at < LARGE.length; at += 1_000) {
          peer.send(LARGE.subarray(at, at + 1_000));
          await time.pass(5_000);
        }
        if (peer.countOf(/^HEADERS 1 .*grpc-status=0/) !== 1) throw new Error(`not answered: ${peer.lines.join("; ")}`);
        peer.send(call(3, "Unary"), frames.data(3, EMPTY).endStream());
        await time.pass(1);
        assertUnhurt(server);
      }),
  },
};

const cutHeaders: ServerAttack = {
  name: "a HEADERS frame that stops in the middle",
  cve: "slowloris",
  rule: "a header block is complete within its time from the first byte of its HEADERS frame on",
  options: ["http2.headerBlockTimeoutMs 10,000"],
  counter: "header-block-timeout",
  unit: "seconds of a connection",
  allowed: 12,
  off: { http2: { headerBlockTimeoutMs: 0x7fff_ffff, frameTimeoutMs: Number.POSITIVE_INFINITY } },
  play: (options) =>
    scene(options, {}, async ({ server, time }) => {
      const peer = await MemoryPeer.ready(server);
      peer.send(call(1, "Unary").bytes().subarray(0, 20));
      const seconds = await time.secondsUntil(() => peer.isClosed || peer.countOf(/^GOAWAY/) > 0, 100);
      return { got: seconds, counted: server.stats().faults["header-block-timeout"] ?? 0 };
    }),
  honest: {
    name: "a HEADERS frame that takes nine seconds over a bad link",
    play: () =>
      scene({}, {}, async ({ server, time }) => {
        const peer = await MemoryPeer.ready(server);
        const headers = call(1, "Unary").bytes();
        for (let second = 0; second < 9; second++) {
          peer.send(headers.subarray(second, second + 1));
          await time.pass(1_000);
        }
        peer.send(headers.subarray(9), frames.data(1, EMPTY).endStream());
        await time.pass(1);
        if (peer.countOf(/grpc-status=0/) !== 1) throw new Error(`not answered: ${peer.lines.join("; ")}`);
        assertUnhurt(server);
      }),
  },
};

export const FRAME_ATTACKS: readonly ServerAttack[] = [dripped, cutHeaders];
