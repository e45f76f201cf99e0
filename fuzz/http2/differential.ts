/**
 * The same octets to our server and to that of `node:http2`: the connection ends, a stream ends, or all is accepted, and
 * both agree which. Where they are known not to, the reason is in {@link DIFFERENCES}. RFC 9113 §5.4.
 *
 * One session has one deviation at most, between frames that are legal: behind a fault two implementations may differ.
 */
import assert from "node:assert/strict";
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { ErrorCode } from "../../packages/volant/src/http2/error-code.ts";
import { FrameType } from "../../packages/volant/src/http2/frame-type.ts";
import { type FrameBuilder, FrameTrace, frames } from "../../packages/volant/src/testing/frame-factory.ts";
import type { FuzzRun, FuzzTarget } from "../target.ts";
import { type Bugs, type Core, loadCore } from "./core.ts";
import type { DifferentialPort } from "./differential-worker.ts";
import { Random, randomOctets } from "./random-source.ts";

const BUGS: Bugs = {
  "an increment of zero is taken": {
    file: "frames/window-update.ts",
    find: "if (readUint31(bytes, start) === 0)",
    replace: "if (readUint31(bytes, start) < 0)",
  },
  "DATA may come after END_STREAM": {
    file: "stream-state.ts",
    find: "[GONE, GONE, GONE, GONE, CLOSED, REMOTE, REMOTE",
    replace: "[GONE, GONE, REMOTE, REMOTE, CLOSED, REMOTE, REMOTE",
  },
};

export const differential: FuzzTarget = { name: "http2-differential", bugs: Object.keys(BUGS), start };

export type Verdict = "closed" | "reset" | "accepted";

interface Deviation {
  readonly name: string;
  readonly frame: (random: Random) => Buffer | FrameBuilder;
}

/** Streams of every session: 1 is open, 3 has ended on the client's side, 5 was reset by the client, 7 and up are idle. */
const OPEN = 1;
const ENDED = 3;
const RESET = 5;
const IDLE = 7;
const ANY_STREAM = [OPEN, ENDED, RESET, IDLE];

const request = (id: number): FrameBuilder => frames.headers(id).request("POST", "/s/m");

const DEVIATIONS: readonly Deviation[] = [
  { name: "nothing", frame: () => Buffer.alloc(0) },
  { name: "DATA", frame: (random) => frames.data(random.pick([0, ...ANY_STREAM]), random.pick([0, 5])) },
  { name: "padded DATA", frame: (random) => frames.data(OPEN, 5).padded(random.below(4), random.below(12)) },
  { name: "HEADERS", frame: (random) => request(random.pick([0, 2, RESET, IDLE, 9])) },
  { name: "HEADERS after END_STREAM", frame: () => request(ENDED).flag(1) },
  {
    name: "trailers",
    frame: (random) =>
      frames
        .headers(OPEN)
        .fields([["x", "1"]])
        .flag(random.below(2)),
  },
  { name: "HEADERS with fields", frame: (random) => frames.headers(IDLE).request("POST", "/", random.pick(FIELDS)) },
  { name: "HEADERS without", frame: (random) => frames.headers(IDLE).fields(WHOLE.toSpliced(random.below(4), 1)) },
  { name: "HEADERS twice", frame: (random) => frames.headers(IDLE).fields([random.pick(WHOLE), ...WHOLE]) },
  { name: "block", frame: (random) => frames.headers(IDLE).block(randomOctets(random, 1 + random.below(6))) },
  { name: "RST_STREAM", frame: (random) => frames.rstStream(random.pick([0, ...ANY_STREAM]), random.below(20)) },
  {
    name: "WINDOW_UPDATE",
    frame: (random) => frames.windowUpdate(random.pick([0, ...ANY_STREAM]), random.pick([0, 1, 0x7fff_ffff])),
  },
  { name: "SETTINGS", frame: (random) => frames.settings([1 + random.below(6), random.pick(SETTING_VALUES)]) },
  { name: "SETTINGS on a stream", frame: () => frames.raw(FrameType.SETTINGS, 0, OPEN) },
  { name: "SETTINGS length", frame: (random) => frames.raw(FrameType.SETTINGS, random.below(2), 0, Buffer.alloc(5)) },
  {
    name: "PING",
    frame: (random) => frames.raw(FrameType.PING, 0, random.below(2), Buffer.alloc(7 + random.below(3))),
  },
  { name: "CONTINUATION", frame: (random) => frames.continuation(random.pick([0, ...ANY_STREAM]), Buffer.of(0x82)) },
  { name: "open block", frame: () => request(IDLE).withoutFlag(0x4) },
  { name: "PUSH_PROMISE", frame: () => frames.pushPromise(OPEN, 2) },
  {
    name: "GOAWAY",
    frame: (random) => frames.raw(FrameType.GOAWAY, 0, random.below(2), Buffer.alloc(7 + random.below(3))),
  },
  {
    name: "short frame",
    frame: (random) => frames.raw(random.pick([1, 3, 8]), 0x24, OPEN, Buffer.alloc(random.below(4))),
  },
  { name: "unknown frame", frame: (random) => frames.raw(0x20 + random.below(20), random.below(256), random.below(9)) },
  { name: "oversized frame", frame: () => frames.data(OPEN, 5).claimLength(16_385) },
];

const WHOLE = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/s/m"],
  [":authority", "test"],
] as const;
const FIELDS: readonly (readonly (readonly [string, string])[])[] = [
  [],
  [["X-Upper", "1"]],
  [["connection", "close"]],
  [["te", "gzip"]],
  [["te", "trailers"]],
  [["x", "a\nb"]],
  [["x", "a\0b"]],
  [["", "1"]],
  [["a b", "1"]],
  [[":status", "200"]],
  [[":unknown", "1"]],
  [
    ["x", "1"],
    [":path", "/"],
  ],
  [["content-length", "x"]],
  [
    ["content-length", "5"],
    ["content-length", "6"],
  ],
];
const SETTING_VALUES = [0, 1, 2, 16_383, 16_384, 0xff_ffff, 0x100_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** Where we knowingly judge otherwise: the deviation, its octets and both verdicts as one line, and why. */
export const DIFFERENCES: readonly { readonly when: RegExp; readonly why: string }[] = [
  {
    when: /^(DATA|HEADERS) \w{10}00000005\w*: node:http2 accepted, ours closed$/,
    why: "RFC 9113 §5.1 lets a frame after the peer's own RST_STREAM be an error; resets without end are no answer to it",
  },
  {
    when: /^HEADERS with fields \w*: node:http2 accepted, ours reset$/,
    why: "RFC 9113 §8.2.1: an illegal name or value makes the request malformed; nghttp2 drops the field and goes on",
  },
  {
    when: /^HEADERS without 000007010400000007\w*: node:http2 reset, ours accepted$/,
    why: "RFC 9113 §8.3.1: a request without :authority is legal; nghttp2 wants one or a host field",
  },
  {
    when: /^WINDOW_UPDATE \w{10}00000001\w*: node:http2 closed, ours reset$/,
    why: "RFC 9113 §6.9, §6.9.1: zero and overflow are errors of the stream; nghttp2 ends the connection",
  },
];

function start(bug?: string): FuzzRun {
  const core = loadCore(BUGS, bug);
  const reached: Record<Verdict | "known differences", number> = {
    closed: 0,
    reset: 0,
    accepted: 0,
    "known differences": 0,
  };
  return {
    execute(seed) {
      const random = new Random(seed);
      const deviation = random.pick(DEVIATIONS);
      const frame = deviation.frame(random);
      const octets = Buffer.isBuffer(frame) ? frame : frame.bytes();
      const session = sessionWith(octets);
      const ours = verdictOf(ourAnswer(core, session));
      const theirs = verdictOf(theirAnswer(session));
      reached[ours]++;
      if (ours === theirs) return;
      const shown = `${deviation.name} ${octets.toString("hex")}: node:http2 ${theirs}, ours ${ours}`;
      if (DIFFERENCES.some(({ when }) => when.test(shown))) reached["known differences"]++;
      else assert.fail(shown);
    },
    reached: () => reached,
  };
}

function sessionWith(deviation: Buffer): Buffer {
  return Buffer.concat([
    frames.preface,
    frames.settings().bytes(),
    frames.settingsAck().bytes(),
    request(OPEN).bytes(),
    request(ENDED).endStream().bytes(),
    request(RESET).bytes(),
    frames.rstStream(RESET, ErrorCode.CANCEL).bytes(),
    deviation,
    frames.ping().bytes(),
  ]);
}

function ourAnswer(core: Core, session: Buffer): Buffer {
  const under = new core.pair.CoreUnderTest("server");
  under.receive(session);
  return under.sentBytes();
}

/** GOAWAY with an error ends the connection, RST_STREAM with an error a stream. */
function verdictOf(answer: Buffer): Verdict {
  let verdict: Verdict = "accepted";
  for (const { type, payload } of new FrameTrace().read(answer)) {
    if (type === FrameType.GOAWAY && payload.readUInt32BE(4) !== ErrorCode.NO_ERROR) return "closed";
    if (type === FrameType.RST_STREAM && payload.readUInt32BE(0) !== ErrorCode.NO_ERROR) verdict = "reset";
  }
  return verdict;
}

let connected: DifferentialPort | undefined;

/** Waits for the other thread: a target is synchronous. */
function theirAnswer(session: Buffer): Buffer {
  connected ??= connect();
  const { port, flag } = connected;
  Atomics.store(flag, 0, 0);
  port.postMessage(Uint8Array.from(session));
  if (Atomics.wait(flag, 0, 0, 10_000) === "timed-out") throw new Error("node:http2 gave no answer within 10 s");
  const { message } = receiveMessageOnPort(port) as { message: Uint8Array };
  return Buffer.from(message);
}

function connect(): DifferentialPort {
  const { port1, port2 } = new MessageChannel();
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const workerData: DifferentialPort = { port: port2, flag };
  const worker = new Worker(new URL("differential-worker.ts", import.meta.url), { workerData, transferList: [port2] });
  // They live as long as somebody else does.
  worker.unref();
  port1.unref();
  return { port: port1, flag };
}
