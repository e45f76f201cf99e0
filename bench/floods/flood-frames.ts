// Owns: what each flood without measure sends on a connection, as prebuilt octets: an opening, then a body, over and over or
// once. Those that keep to every limit are in `patient-frames.ts`.
// Must not know: sockets, or what a server does about it. RFC 9113 §6, §10.5.

import { FrameFlag } from "../../packages/volant/src/http2/frame-type.ts";
import { frames } from "../../packages/volant/src/testing/frame-factory.ts";
import { createGetUserMessage, createRequestHeaders } from "../lib/raw-call.ts";

export const FLOODS = ["rapid reset", "CONTINUATION", "PING", "SETTINGS", "empty DATA", "DATA of one octet"] as const;

export type FloodName = (typeof FLOODS)[number];

export interface Flood {
  readonly opening: Buffer;
  /** For one connection: gives the next body, undefined after the last: stream ids cannot come again. */
  createBodies(): () => Buffer | undefined;
  readonly framesInBody: number;
  /** From one body to the next; 0: as fast as they are read. */
  readonly intervalMs: number;
}

/** Answers of any length are taken, so that calls end. */
const WINDOW = frames.windowUpdate(0, 0x7fff_ffff - 65_535).bytes();
export const HELLO = Buffer.concat([frames.preface, frames.settings().bytes(), frames.settingsAck().bytes(), WINDOW]);
/** CVE-2023-44487: CANCEL. */
const CANCEL = 8;
/** A field of one octet, `:method: GET`. RFC 7541 appendix A. */
const METHOD_GET = 0x82;
const RESETS = 20_000;
const FRAMES_A_BODY = 2_000;

export function createFlood(name: FloodName): Flood {
  switch (name) {
    case "rapid reset":
      return createRapidReset();
    case "CONTINUATION":
      return endless(
        frames.continuation(1, Buffer.alloc(1_000, METHOD_GET), false),
        frames.headers(1).request("POST", "/user.UserService/GetUser").withoutFlag(FrameFlag.END_HEADERS).bytes(),
      );
    case "PING":
      return endless(frames.ping());
    case "SETTINGS":
      return endless(frames.settings([4, 65_535]));
    case "empty DATA":
      return endless(frames.data(1, 0), createRequestHeaders(1));
    case "DATA of one octet":
      return endless(frames.data(1, 1), createRequestHeaders(1), createLargestPrefix(1));
  }
}

/** DATA with the prefix of the largest message that our server takes. */
export function createLargestPrefix(streamId: number): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(4 * 1024 * 1024, 1);
  return frames.data(streamId, prefix).bytes();
}

/** A whole call, cancelled at once: its handler begins for nothing. */
export function createCancelledCall(streamId: number, message: Buffer): Buffer {
  const data = frames.data(streamId, message).endStream().bytes();
  return Buffer.concat([createRequestHeaders(streamId), data, frames.rstStream(streamId, CANCEL).bytes()]);
}

function createRapidReset(): Flood {
  const message = createGetUserMessage();
  const calls = Array.from({ length: RESETS }, (_, index) => createCancelledCall(1 + 2 * index, message));
  const body = Buffer.concat(calls);
  const createBodies = () => {
    const bodies = [body];
    return () => bodies.pop();
  };
  return { opening: HELLO, createBodies, framesInBody: 3 * RESETS, intervalMs: 0 };
}

function endless(frame: { bytes(): Buffer }, ...opening: readonly Buffer[]): Flood {
  const octets = frame.bytes();
  const body = Buffer.concat(Array.from({ length: FRAMES_A_BODY }, () => octets));
  return {
    opening: Buffer.concat([HELLO, ...opening]),
    createBodies: () => () => body,
    framesInBody: FRAMES_A_BODY,
    intervalMs: 0,
  };
}
