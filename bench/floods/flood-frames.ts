// Owns: what each flood sends on a connection, as prebuilt octets: an opening, then a body, over and over or once.
// Must not know: sockets, or what a server does about it. RFC 9113 §6, §10.5.

import { FrameFlag } from "../../packages/volant/src/http2/frame-type.ts";
import { frames } from "../../packages/volant/src/testing/frame-factory.ts";
import { createGetUserMessage, createRequestHeaders } from "../lib/raw-call.ts";

export const FLOODS = ["rapid reset", "CONTINUATION", "PING", "SETTINGS", "empty DATA", "DATA of one octet"] as const;

export type FloodName = (typeof FLOODS)[number];

export interface Flood {
  readonly opening: Buffer;
  readonly body: Buffer;
  readonly framesInBody: number;
  /** False: the body is the connection's last, such as stream ids that cannot come again. */
  readonly isEndless: boolean;
}

const HELLO = Buffer.concat([frames.preface, frames.settings().bytes()]);
/** CVE-2023-44487: CANCEL. */
const CANCEL = 8;
/** A field of one octet, `:method: GET`. RFC 7541 appendix A. */
const METHOD_GET = 0x82;
const RESETS = 20_000;
const FRAMES_A_BODY = 2_000;
/** The most that a gRPC message claims and our server takes. */
const CLAIMED_BYTES = 4 * 1024 * 1024;

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
    case "DATA of one octet": {
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(CLAIMED_BYTES, 1);
      return endless(frames.data(1, 1), createRequestHeaders(1), frames.data(1, prefix).bytes());
    }
  }
}

/** Whole calls, each cancelled at once: their handlers begin for nothing. */
function createRapidReset(): Flood {
  const message = createGetUserMessage();
  const calls = Array.from({ length: RESETS }, (_, index) => {
    const id = 1 + 2 * index;
    const data = frames.data(id, message).endStream().bytes();
    return Buffer.concat([createRequestHeaders(id), data, frames.rstStream(id, CANCEL).bytes()]);
  });
  return { opening: HELLO, body: Buffer.concat(calls), framesInBody: 3 * RESETS, isEndless: false };
}

function endless(frame: { bytes(): Buffer }, ...opening: readonly Buffer[]): Flood {
  const octets = frame.bytes();
  return {
    opening: Buffer.concat([HELLO, ...opening]),
    body: Buffer.concat(Array.from({ length: FRAMES_A_BODY }, () => octets)),
    framesInBody: FRAMES_A_BODY,
    isEndless: true,
  };
}
