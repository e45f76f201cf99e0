/**
 * Attacks that no single connection can judge, or that only show above HTTP/2: clients that do not read, do not finish, come
 * back without end, or ask without need.
 */
import { RpcError, StatusCode } from "../../src/index.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { call, prefixed } from "../server/support/raw-peer.ts";
import { FRAME_ATTACKS } from "./frame-attacks.ts";
import { MemoryPeer } from "./memory-peer.ts";
import { MESSAGE_ATTACKS } from "./message-attacks.ts";
import { OBJECT_ATTACKS } from "./object-attacks.ts";
import { assertUnhurt, type ServerAttack, type ServerScene, scene } from "./server-attack.ts";
import { TURN_ATTACKS } from "./turn-attacks.ts";
import { UNREAD_ATTACKS } from "./unread-attacks.ts";
import { turns } from "./virtual-time.ts";

const OFF = Number.POSITIVE_INFINITY;
const CANCEL = 8;
const EMPTY = prefixed(Buffer.alloc(0));
const ids = (count: number): number[] => Array.from({ length: count }, (_, index) => 1 + 2 * index);

/** A whole request for a stream that goes on for ever. */
const download = (id: number): Buffer =>
  Buffer.concat([call(id, "Download").bytes(), frames.data(id, EMPTY).endStream().bytes()]);

const endless = {
  *download() {
    for (;;) yield { body: Buffer.alloc(1_000) };
  },
};

const unread: ServerAttack = {
  name: "a client that reads nothing, with 1,000 streams to it",
  cve: "CVE-2019-9517",
  rule: "writes wait for the socket, streams for the output; no octet taken for a while ends the connection, whatever it sends",
  options: ["writeStallTimeoutMs"],
  counter: "write-stalled",
  unit: "seconds of a full connection",
  // Once the limit or half as long again, told in whole seconds.
  allowed: 47,
  off: { writeStallTimeoutMs: OFF },
  play: (options) =>
    scene({ http2: { maxConcurrentStreams: 1_000 }, ...options }, endless, async ({ server, time }) => {
      const peer = await MemoryPeer.ready(server);
      peer.readChunks(0);
      peer.send(...ids(1_000).map(download));
      // A legal sign of life every second: sending proves nothing about reading.
      const signOfLife = (): void => peer.send(frames.priority(1, 0));
      const seconds = await time.secondsUntil(() => server.connectionCount === 0, 120, signOfLife);
      return { got: seconds, counted: server.stats().faults["write-stalled"] ?? 0 };
    }),
  honest: {
    name: "a client that takes one chunk every ten seconds, for ten minutes",
    // The kernel has megabytes between the two, and says that some were taken once a third of them was.
    wires: ["memory"],
    play: () =>
      scene({}, endless, async ({ server, time }) => {
        const peer = await MemoryPeer.ready(server);
        peer.readChunks(0);
        peer.send(...ids(10).map(download));
        await turns();
        await time.pass(600_000, 10_000, () => peer.readChunks(1));
        if (peer.isClosed) throw new Error("a slow reader was closed");
        assertUnhurt(server);
      }),
  },
};

/** Handlers, or an interceptor, that look at nothing and go on until they are let go. */
class StubbornHandlers {
  begun = 0;
  private waiting: (() => void)[] = [];
  readonly unary = async (): Promise<object> => {
    await this.wait();
    return {};
  };

  readonly interceptor = () => ({ onCall: () => this.wait() });

  private wait(): Promise<void> {
    this.begun++;
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  readonly release = (): void => {
    for (const resolve of this.waiting.splice(0)) resolve();
  };
}

const unary = (id: number): Buffer =>
  Buffer.concat([call(id, "Unary").bytes(), frames.data(id, EMPTY).endStream().bytes()]);

/** A request with a body of that many octets. */
function requestOf(id: number, bytes: number): Buffer[] {
  const length = Buffer.of((bytes & 0x7f) | 0x80, ((bytes >> 7) & 0x7f) | 0x80, bytes >> 14);
  const message = prefixed(Buffer.concat([Buffer.of(0x1a), length, Buffer.alloc(bytes)]));
  const pieces: Buffer[] = [];
  for (let at = 0; at < message.length; at += 16_384) {
    const frame = frames.data(id, message.subarray(at, at + 16_384));
    pieces.push((at + 16_384 >= message.length ? frame.endStream() : frame).bytes());
  }
  return pieces;
}

const resets = (ids: readonly number[]): Buffer[] => ids.map((id) => frames.rstStream(id, CANCEL).bytes());

/** 16,000 calls, cancelled when they have begun, and work for them that ends four seconds later. */
async function cancelledByMany({ server, time }: ServerScene, handlers: StubbornHandlers): Promise<void> {
  const peers = await Promise.all(ids(80).map(() => MemoryPeer.ready(server)));
  for (let round = 0; round < 2; round++) {
    const mine = ids(100).map((id) => id + 200 * round);
    for (const peer of peers) peer.send(...mine.map(unary));
    await turns();
    for (const peer of peers) peer.send(...resets(mine));
    await time.pass(4_000);
    handlers.release();
    await turns();
  }
  if (handlers.begun !== 16_000) throw new Error(`${handlers.begun} calls of 16,000 were begun`);
  assertUnhurt(server, "reset-by-peer");
}

const reconnects: ServerAttack = {
  isLongOverSockets: true,
  name: "rapid reset by reconnecting: 100 calls, the end, and again",
  cve: "CVE-2023-44487",
  rule: "handlers whose call is over are counted across connections; a client with as many as are left for all gets REFUSED_STREAM",
  options: ["maxOrphanedHandlers"],
  counter: "orphaned-handlers",
  unit: "handlers running at once",
  allowed: 10_100,
  off: { maxOrphanedHandlers: OFF },
  play: (options) => {
    const handlers = new StubbornHandlers();
    return scene(
      options,
      { unary: handlers.unary, download: () => [{}] },
      async ({ server }) => {
        for (let connection = 0; connection < 120; connection++) {
          const peer = await MemoryPeer.ready(server, `192.0.2.1:${connection}`);
          peer.send(...ids(100).map(unary));
          await turns(2);
          peer.destroy();
          await turns(2);
        }
        const got = server.handlerCount;
        const other = await MemoryPeer.ready(server, "192.0.2.2:1");
        other.send(download(1));
        await turns();
        if (other.dataFrames !== 1) throw new Error("another client was not served");
        return { got, counted: server.stats().faults["orphaned-handlers"] ?? 0 };
      },
      handlers.release,
    );
  },
  honest: {
    name: "2,000 calls a second cancelled by 80 clients whose deadlines pass, and handlers that notice after four seconds",
    play: () => {
      const handlers = new StubbornHandlers();
      return scene({}, { unary: handlers.unary }, (base) => cancelledByMany(base, handlers), handlers.release);
    },
  },
};

const undecided: ServerAttack = {
  isLongOverSockets: true,
  name: "rapid reset while an interceptor decides: 200 calls and their resets, the end, and again",
  cve: "CVE-2023-44487",
  rule: "an onCall that is waited for is a handler: it keeps the place of its stream, and is counted when its call is over",
  options: ["maxOrphanedHandlers"],
  counter: "orphaned-handlers",
  unit: "onCalls running at once",
  allowed: 10_100,
  off: { maxOrphanedHandlers: OFF },
  play: (options) => {
    const handlers = new StubbornHandlers();
    return scene(
      { interceptors: [handlers.interceptor], ...options },
      {},
      async ({ server }) => {
        for (let connection = 0; connection < 120; connection++) {
          const peer = await MemoryPeer.ready(server, `192.0.2.1:${connection}`);
          peer.send(...ids(200).flatMap((id) => [unary(id), ...resets([id])]));
          await turns(2);
          peer.destroy();
          await turns(2);
        }
        // Counted by themselves: none was let go so far.
        return { got: handlers.begun, counted: server.stats().faults["orphaned-handlers"] ?? 0 };
      },
      handlers.release,
    );
  },
  honest: {
    name: "2,000 calls a second cancelled by 80 clients whose deadlines pass, while an interceptor asks for four seconds",
    play: () => {
      const handlers = new StubbornHandlers();
      const options = { interceptors: [handlers.interceptor] };
      return scene(options, {}, (base) => cancelledByMany(base, handlers), handlers.release);
    },
  },
};

const trickle: ServerAttack = {
  name: "a request of 4 MiB that comes ten octets at a time, without a deadline",
  cve: "slow POST",
  rule: "a call that waits for the rest of a message, and gets less than a KiB of it in a period, is over",
  options: ["requestIdleTimeoutMs"],
  counter: "request-stalled",
  unit: "seconds of a call",
  allowed: 130,
  off: { requestIdleTimeoutMs: OFF },
  play: (options) =>
    scene(options, {}, async ({ server, time }) => {
      const peer = await MemoryPeer.ready(server);
      peer.send(call(1, "Unary"), frames.data(1, prefixed(Buffer.alloc(0), 0, 4_194_304)));
      const seconds = await time.secondsUntil(
        () => peer.countOf(/^(HEADERS|RST_STREAM) 1/) > 0,
        300,
        () => peer.send(frames.data(1, 10)),
      );
      return { got: seconds, counted: server.stats().faults["request-stalled"] ?? 0 };
    }),
  honest: {
    name: "uploads of 100 octets a second, in small frames for ten minutes or in one of 16 KiB, and a chat that is silent for an hour",
    play: () =>
      scene({}, {}, async ({ server, time }) => {
        const peer = await MemoryPeer.ready(server);
        peer.send(call(1, "Chat"), frames.data(1, prefixed(Buffer.alloc(0))));
        peer.send(call(3, "Unary"), frames.data(3, prefixed(Buffer.alloc(0), 0, 60_000 + 6)));
        // Field 3, a byte string: tag, a length of three octets, then its content.
        peer.send(frames.data(3, Buffer.from([0x1a, 0xe2, 0xd4, 0x03])));
        const other = await MemoryPeer.ready(server);
        const large = frames.data(1, prefixed(Buffer.from([0x1a, 0xfd, 0x7c, ...Buffer.alloc(15_997)]))).endStream();
        other.send(call(1, "Unary"));
        let at = 0;
        // In pieces that come well inside of a period of the frame's deadline.
        await time.pass(600_000, 5_000, () => {
          peer.send(frames.data(3, 500));
          other.send(large.bytes().subarray(at, at + 500));
          at += 500;
        });
        if (other.countOf(/^HEADERS 1 .*grpc-status=0/) !== 1)
          throw new Error(`not answered: ${other.lines.join("; ")}`);
        peer.send(frames.data(3, 2).endStream());
        await time.pass(3_600_000, 60_000);
        if (peer.countOf(/^HEADERS 3 .*grpc-status=0/) !== 1) throw new Error(`not answered: ${peer.lines.join("; ")}`);
        if (server.streamCount !== 1) throw new Error("the chat was ended");
        assertUnhurt(server);
      }),
  },
};

const pings: ServerAttack = {
  name: "a PING every second for nothing",
  cve: "gRFC A8",
  rule: "a PING too soon, with nothing sent or begun since the last, is a strike; after the second comes too_many_pings",
  options: ["keepaliveEnforcement.minTimeMs 300,000", "keepaliveEnforcement.maxStrikes 2"],
  counter: "too_many_pings",
  unit: "PINGs answered",
  allowed: 4,
  off: { keepaliveEnforcement: { maxStrikes: OFF } },
  play: (options) =>
    scene(options, {}, async ({ server, time }) => {
      const peer = await MemoryPeer.ready(server);
      await time.secondsUntil(
        () => peer.isClosed,
        60,
        () => peer.send(frames.ping()),
      );
      return { got: peer.countOf(/^PING/), counted: server.stats().faults.too_many_pings ?? 0 };
    }),
  honest: {
    name: "a PING with each DATA received, with each call cancelled, and every five minutes of a long call",
    play: () =>
      scene({}, {}, async ({ server, time }) => {
        const peer = await MemoryPeer.ready(server);
        peer.send(call(1, "Chat"));
        for (let round = 0; round < 50; round++) {
          peer.send(frames.data(1, EMPTY));
          await turns();
          peer.send(frames.ping());
          await turns();
        }
        for (let round = 0; round < 50; round++) {
          peer.send(call(3 + 2 * round, "Chat"));
        }
        await turns();
        for (let round = 0; round < 50; round++) peer.send(frames.rstStream(3 + 2 * round, CANCEL), frames.ping());
        await time.pass(3_600_000, 300_000, () => peer.send(frames.ping()));
        await turns();
        if (peer.isClosed) throw new Error("an honest peer was closed");
        assertUnhurt(server, "reset-by-peer");
      }),
  },
};

/** The largest header list of one block that the peer was sent, by its line. */
function largestList(lines: readonly string[]): number {
  const sizes = lines.map((line) => {
    const fields = line.split(" ").filter((word) => word.includes("="));
    return fields.reduce((sum, field) => sum + field.length - 1 + 32, 0);
  });
  return Math.max(0, ...sizes);
}

const echoedError: ServerAttack = {
  name: "errors as large as the request that provokes them",
  cve: "GOAWAY by one's own error",
  rule: "no header list goes out that the client did not say it takes: the details go first, then the end of the message",
  options: ["http2.maxSentHeaderListBytes 16,384"],
  counter: "status-cut",
  unit: "octets of one header list sent",
  allowed: 16_384,
  off: { http2: { maxSentHeaderListBytes: 1_048_576 } },
  play: (options) =>
    scene(options, { unary: refuseBy("x") }, async ({ server }) => {
      const peer = await MemoryPeer.ready(server);
      peer.send(call(1, "Unary"), ...requestOf(1, 60_000));
      await turns(10);
      return { got: largestList(peer.lines), counted: server.stats().faults["status-cut"] ?? 0 };
    }),
  honest: {
    name: "an error of 15,000 characters arrives whole at a client that names no limit",
    play: () =>
      scene({}, { unary: refuseBy("y") }, async ({ server }) => {
        const peer = await MemoryPeer.ready(server);
        peer.send(call(1, "Unary"), ...requestOf(1, 15_000));
        await turns(10);
        if (peer.countOf(/grpc-message=y{15000}$/) !== 1) throw new Error(`it was not whole: ${peer.lines}`);
        assertUnhurt(server);
      }),
  },
};

/** Refuses with as many characters as the request has bytes. */
function refuseBy(character: string) {
  return ({ body }: { readonly body: Uint8Array }): never => {
    throw new RpcError(StatusCode.INVALID_ARGUMENT, character.repeat(body.length));
  };
}

export const SERVER_ATTACKS: readonly ServerAttack[] = [
  unread,
  ...UNREAD_ATTACKS,
  reconnects,
  undecided,
  trickle,
  pings,
  echoedError,
  ...FRAME_ATTACKS,
  ...MESSAGE_ATTACKS,
  ...OBJECT_ATTACKS,
  ...TURN_ATTACKS,
];
