// Owns: floods of the same kinds that stay just under every limit of a server with its defaults (docs/limits.md), so that nothing
// ends them: bodies of whole calls or frames, at the rate at which the budget that they spend grows back.
// Must not know: sockets. A connection that the server ends all the same is counted by the attacker.

import { frames } from "../../packages/volant/src/testing/frame-factory.ts";
import { createGetUserMessage, createRequestBuilder, createRequestHeaders } from "../lib/raw-call.ts";
import { createCancelledCall, createLargestPrefix, type Flood, type FloodName, HELLO } from "./flood-frames.ts";

/** Concurrent streams: 100, also where three bodies come at once because somebody was late. */
const CALLS_A_BODY = 30;
/** 1,875 resets a second: the budget grows by 2,000. */
const CALLS_INTERVAL_MS = 16;
const OPEN_STREAMS = 95;
/** A glitch of ten, of which 330 a second grow back. */
const TEN_GLITCHES_INTERVAL_MS = 32;
/** Tiny frames that nobody has consumed: 210,000, and four for one of an octet. */
const TINY_FRAMES = 52_000;
/** Fields of one list: 128, and 16 KiB; six of them are the request's own. */
const REPEATED_FIELDS = 118;
const REPEATED_VALUE = "v".repeat(75);
const CONTINUATIONS = 8;
const FRAGMENT_BYTES = 1_200;
const SETTINGS_ENTRIES = 32;
const INITIAL_WINDOW_SIZE = 4;

export function createPatientFlood(name: FloodName): Flood {
  const message = createGetUserMessage();
  const call = (id: number): Buffer =>
    Buffer.concat([createRequestHeaders(id), frames.data(id, message).endStream().bytes()]);
  switch (name) {
    case "rapid reset":
      return calls(3, (id) => createCancelledCall(id, message));
    case "CONTINUATION":
      return calls(CONTINUATIONS + 2, (id) =>
        Buffer.concat([createLongBlock(id), frames.data(id, message).endStream().bytes()]),
      );
    case "PING":
      // One for each call that begins is nobody's strike.
      return calls(3, (id) => Buffer.concat([call(id), frames.ping().bytes()]));
    case "SETTINGS":
      // Each parameter touches every stream that is open.
      return repeated(createSettings(), TEN_GLITCHES_INTERVAL_MS, createOpenStreams());
    case "empty DATA":
      return repeated(frames.data(1, 0).bytes(), TEN_GLITCHES_INTERVAL_MS, createRequestHeaders(1));
    case "DATA of one octet":
      return { ...streams(1, TINY_FRAMES + 3, createTinyData), intervalMs: 0 };
  }
}

/** HEADERS and as many CONTINUATION frames as there may be, with a list that is nearly as long as one may be. */
function createLongBlock(id: number): Buffer {
  const repeated = Array.from({ length: REPEATED_FIELDS }, () => ["x-repeated", REPEATED_VALUE] as const);
  const cuts = Array.from({ length: CONTINUATIONS }, (_, index) => FRAGMENT_BYTES * (index + 1));
  return createRequestBuilder(id, repeated).continued(...cuts);
}

function createSettings(): Buffer {
  const entries = Array.from(
    { length: SETTINGS_ENTRIES },
    (_, index) => [INITIAL_WINDOW_SIZE, 65_535 - (index % 2)] as const,
  );
  return frames.settings(...entries).bytes();
}

/** Requests that have begun and do not go on. */
function createOpenStreams(): Buffer {
  return Buffer.concat(Array.from({ length: OPEN_STREAMS }, (_, index) => createRequestHeaders(1 + 2 * index)));
}

/** Octets of one message, a frame each, up to the limit; then the call is cancelled and its place is free for the next. */
function createTinyData(id: number): Buffer {
  const octet = frames.data(id, 1).bytes();
  const octets = Buffer.alloc(TINY_FRAMES * octet.length, octet);
  return Buffer.concat([createRequestHeaders(id), createLargestPrefix(id), octets, frames.rstStream(id, 8).bytes()]);
}

function calls(framesInCall: number, createCall: (streamId: number) => Buffer): Flood {
  return streams(CALLS_A_BODY, framesInCall, createCall);
}

/** Each body uses new streams: a template, with the ids written in. */
function streams(count: number, framesInStream: number, create: (streamId: number) => Buffer): Flood {
  const template = Buffer.concat(Array.from({ length: count }, (_, index) => create(1 + 2 * index)));
  const idsAt = findStreamIds(template);
  const createBody = (firstId: number): Buffer => {
    const body = Buffer.from(template);
    for (const at of idsAt) body.writeUInt32BE(template.readUInt32BE(at) + firstId - 1, at);
    return body;
  };
  const createBodies = () => {
    let nextId = 1;
    return (): Buffer => {
      const body = createBody(nextId);
      nextId += 2 * count;
      return body;
    };
  };
  return { opening: HELLO, createBodies, framesInBody: count * framesInStream, intervalMs: CALLS_INTERVAL_MS };
}

/** Where the stream ids of its frames stand, but for stream 0. */
function findStreamIds(octets: Buffer): number[] {
  const found: number[] = [];
  for (let at = 0; at < octets.length; at += 9 + octets.readUIntBE(at, 3)) {
    if (octets.readUInt32BE(at + 5) > 0) found.push(at + 5);
  }
  return found;
}

function repeated(body: Buffer, intervalMs: number, ...opening: readonly Buffer[]): Flood {
  return { opening: Buffer.concat([HELLO, ...opening]), createBodies: () => () => body, framesInBody: 1, intervalMs };
}
