/**
 * What a peer may do in a session that is legal otherwise: one frame or none, right or wrong. Owns these and the session
 * around them; judges nothing. RFC 9113 §5, §6, §8.
 */
import { ErrorCode } from "../../packages/volant/src/http2/error-code.ts";
import { FrameFlag, FrameType } from "../../packages/volant/src/http2/frame-type.ts";
import type { Role } from "../../packages/volant/src/http2/index.ts";
import { type Fields, type FrameBuilder, frames } from "../../packages/volant/src/testing/frame-factory.ts";
import { type Random, randomOctets } from "./random-source.ts";

export interface Deviation {
  readonly name: string;
  readonly frame: (random: Random) => Buffer | FrameBuilder;
}

/**
 * Streams of every session. The peer has begun a message on 1, ended one on 3 and reset 5. A client waits for its answer
 * on 7; on a server 7 is idle, as is everything above.
 */
const OPEN = 1;
const ENDED = 3;
const RESET = 5;
const NEXT = 7;
const IDLE = 9;
/** Those that a client opens, in order. */
export const ASKED: readonly number[] = [OPEN, ENDED, RESET, NEXT];
const ANY_STREAM = [OPEN, ENDED, RESET, NEXT];

const FIELDS: readonly Fields[] = [
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

const request = (id: number): FrameBuilder => frames.headers(id).request("POST", "/s/m");
const response = (id: number): FrameBuilder => frames.headers(id).response(200);

/** Either side may do these. */
const SHARED: readonly Deviation[] = [
  { name: "nothing", frame: () => Buffer.alloc(0) },
  { name: "DATA", frame: (random) => frames.data(random.pick([0, ...ANY_STREAM]), random.pick([0, 5])) },
  { name: "padded DATA", frame: (random) => frames.data(OPEN, 5).padded(random.below(4), random.below(12)) },
  {
    name: "trailers",
    frame: (random) =>
      frames
        .headers(OPEN)
        .fields([["x", "1"]])
        .flag(random.below(2)),
  },
  { name: "block", frame: (random) => frames.headers(NEXT).block(randomOctets(random, 1 + random.below(6))) },
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

const WHOLE: Fields = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/s/m"],
  [":authority", "test"],
];

const OF_A_CLIENT: readonly Deviation[] = [
  { name: "HEADERS", frame: (random) => request(random.pick([0, 2, RESET, NEXT, IDLE])) },
  { name: "HEADERS after END_STREAM", frame: () => request(ENDED).endStream() },
  { name: "HEADERS with fields", frame: (random) => frames.headers(NEXT).request("POST", "/", random.pick(FIELDS)) },
  { name: "HEADERS without", frame: (random) => frames.headers(NEXT).fields(WHOLE.toSpliced(random.below(4), 1)) },
  { name: "HEADERS twice", frame: (random) => frames.headers(NEXT).fields([random.pick(WHOLE), ...WHOLE]) },
  { name: "open block", frame: () => request(NEXT).withoutFlag(FrameFlag.END_HEADERS) },
];

const STATUSES = ["100", "103", "101", "200", "204", "999", "20", "2000", "abc", "", "099"];

const OF_A_SERVER: readonly Deviation[] = [
  { name: "HEADERS", frame: (random) => response(random.pick([0, 2, RESET, NEXT, IDLE])) },
  { name: "HEADERS after END_STREAM", frame: () => response(ENDED).endStream() },
  { name: "HEADERS with fields", frame: (random) => frames.headers(NEXT).response(200, random.pick(FIELDS)) },
  { name: "HEADERS with status", frame: (random) => frames.headers(NEXT).response(random.pick(STATUSES)) },
  { name: "last HEADERS with status", frame: (random) => lastResponse(random) },
  { name: "HEADERS without status", frame: () => frames.headers(NEXT).fields([["x", "1"]]) },
  { name: "HEADERS of a request", frame: () => request(NEXT) },
  { name: "last HEADERS with length", frame: (random) => lastOfLength(random) },
  { name: "DATA of another length", frame: (random) => dataOfLength(random) },
  { name: "open block", frame: () => response(NEXT).withoutFlag(FrameFlag.END_HEADERS) },
  { name: "interim, then final", frame: () => Buffer.concat([response100(), response(NEXT).endStream().bytes()]) },
  { name: "final, then interim", frame: () => Buffer.concat([response(NEXT).bytes(), response100()]) },
];

const response100 = (): Buffer => frames.headers(NEXT).response(100).bytes();
const lastResponse = (random: Random): FrameBuilder => frames.headers(NEXT).response(random.pick(STATUSES)).endStream();
const lastOfLength = (random: Random): FrameBuilder =>
  frames
    .headers(NEXT)
    .response(200, [["content-length", random.pick(["0", "5"])]])
    .endStream();
const dataOfLength = (random: Random): Buffer =>
  Buffer.concat([
    frames
      .headers(NEXT)
      .response(200, [["content-length", "5"]])
      .bytes(),
    frames
      .data(NEXT, random.pick([4, 5, 6]))
      .endStream()
      .bytes(),
  ]);

/** By the role that is put to the test: what its peer does. */
export const DEVIATIONS: Readonly<Record<Role, readonly Deviation[]>> = {
  server: [...SHARED, ...OF_A_CLIENT],
  client: [...SHARED, ...OF_A_SERVER],
};

/** Octets that a role receives. A client opens its streams between the two parts. */
export interface Session {
  readonly opening: Buffer;
  readonly rest: Buffer;
}

export function sessionWith(role: Role, deviation: Buffer): Session {
  const begin = role === "server" ? request : response;
  const opening = [frames.settings().bytes(), frames.settingsAck().bytes()];
  if (role === "server") opening.unshift(frames.preface);
  return {
    opening: Buffer.concat(opening),
    rest: Buffer.concat([
      begin(OPEN).bytes(),
      begin(ENDED).endStream().bytes(),
      begin(RESET).bytes(),
      frames.rstStream(RESET, ErrorCode.CANCEL).bytes(),
      deviation,
      frames.ping().bytes(),
    ]),
  };
}
