/**
 * Attacks by clients that ask for much and take none of it, on many streams and connections at once. CVE-2019-9517.
 */
import type { Server } from "../../src/index.ts";
import type { ResolvedServerOptions } from "../../src/server/server-options.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually } from "../../src/testing/index.ts";
import { call, prefixed } from "../server/support/raw-peer.ts";
import { MemoryPeer } from "./memory-peer.ts";
import { assertUnhurt, type ServerAttack, type ServerScene, scene } from "./server-attack.ts";
import { turns } from "./virtual-time.ts";

const OFF = Number.POSITIVE_INFINITY;
const INITIAL_WINDOW_SIZE = 4;
const UNSENT_BYTES = 8_388_608;
const ANSWER_BYTES = 65_536;
const EMPTY = prefixed(Buffer.alloc(0));
const ids = (count: number): number[] => Array.from({ length: count }, (_, index) => 1 + 2 * index);

const ask = (id: number, method: string): Buffer =>
  Buffer.concat([call(id, method).bytes(), frames.data(id, EMPTY).endStream().bytes()]);

/** What a scene needs to see how much is held. */
const heldBy = (server: Server): number =>
  (server as unknown as { options: ResolvedServerOptions }).options.unsent.usedBytes;

const answers = {
  unary: () => ({ body: Buffer.alloc(ANSWER_BYTES) }),
  *download() {
    for (let count = 0; count < 30; count++) yield { body: Buffer.alloc(1_000) };
  },
};

/** With the windows that most clients have. */
async function plainPeer(server: Server, address: string): Promise<MemoryPeer> {
  const peer = await MemoryPeer.ready(server, address);
  peer.send(frames.settings([INITIAL_WINDOW_SIZE, 65_535]));
  await turns();
  return peer;
}

/** Ten clients with a hundred streams each, all at once. */
async function manyStreams({ server }: ServerScene): Promise<void> {
  const peers = await Promise.all(ids(10).map((id) => plainPeer(server, `192.0.2.${id}:1`)));
  for (const peer of peers) peer.send(...ids(100).map((id) => ask(id, "Download")));
  await eventually("1,000 streams to complete", () => peers.every((peer) => peer.countOf(/grpc-status=0/) === 100));
  assertUnhurt(server, "settings");
}

/** A client with 32 answers at once, which takes a KiB of each in a second. */
async function slowReader({ server, time }: ServerScene): Promise<void> {
  const slow = await MemoryPeer.ready(server, "192.0.2.100:1");
  slow.send(frames.settings([INITIAL_WINDOW_SIZE, 0]), ...ids(32).map((id) => ask(id, "Unary")));
  await time.pass(70_000, 1_000, () => slow.send(...ids(32).map((id) => frames.windowUpdate(id, 1_024))));
  const complete = slow.countOf(/grpc-status=0/);
  if (complete !== 32) throw new Error(`${complete} of 32 answers were complete`);
  if (heldBy(server) !== 0) throw new Error(`${heldBy(server)} bytes are still held`);
  assertUnhurt(server, "settings", "window-update");
}

const hoard: ServerAttack = {
  name: "answers of 64 KiB for 400 streams of four connections, all with a window of zero",
  cve: "CVE-2019-9517, CVE-2026-49975",
  rule: "what waits for readers is bounded for all; a client has as much as it leaves to others. A message that would have to wait and finds no room ends its call with RESOURCE_EXHAUSTED: the newest, so that the oldest complete",
  options: ["maxUnsentBytes 268,435,456"],
  counter: "answer-refused",
  unit: "bytes held for one client of 8,388,608 for all",
  // Half, and the answer that was let in last.
  allowed: UNSENT_BYTES / 2 + ANSWER_BYTES,
  off: { maxUnsentBytes: OFF },
  play: (options) =>
    scene({ maxUnsentBytes: UNSENT_BYTES, ...options }, answers, async ({ server }) => {
      for (let connection = 0; connection < 4; connection++) {
        const peer = await MemoryPeer.ready(server, `192.0.2.1:${connection}`);
        peer.send(frames.settings([INITIAL_WINDOW_SIZE, 0]), ...ids(100).map((id) => ask(id, "Unary")));
        await turns();
      }
      const got = heldBy(server);
      const other = await plainPeer(server, "192.0.2.2:1");
      other.send(ask(1, "Unary"));
      await turns();
      other.send(frames.windowUpdate(1, ANSWER_BYTES));
      await turns();
      if (other.countOf(/^HEADERS 1 end grpc-status=0/) !== 1) throw new Error("another client was not served");
      return { got, counted: server.stats().faults["answer-refused"] ?? 0 };
    }),
  honest: {
    name: "1,000 streams of ten clients at once, and 32 answers of 64 KiB for a client that takes a KiB of each in a second",
    play: async () => {
      await scene({}, answers, manyStreams);
      await scene({ maxUnsentBytes: UNSENT_BYTES }, answers, slowReader);
    },
  },
};

export const UNREAD_ATTACKS: readonly ServerAttack[] = [hoard];
