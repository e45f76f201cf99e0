// Owns: the inner loops of http2-micro, in a process of their own: what one frame or block costs, in nanoseconds.
// Octets are fed in chunks of frames, as a socket gives them, and output is taken after each chunk, as the driver does.
// Invariant: each case proves that its frames had their effect before it reports.

import { type Http2Connection, releaseBuffer } from "volant/http2";
import { type HeaderField, HpackDecoder } from "../../packages/volant/src/http2/hpack/index.ts";
import { frames } from "../../packages/volant/src/testing/frame-factory.ts";
import { answerJobs } from "../lib/worker-jobs.ts";
import type { CaseName, Job, Measured } from "./protocol.ts";
import { createBlocks, createReadyServer } from "./wire.ts";

const FRAMES_A_CHUNK = 100;
const FRESH_CHUNKS = 20;
const DATA_OCTETS = 150;
/** Ids of streams that a client may open; a connection is replaced long before. */
const LAST_STREAM_ID = 0x7000_0000;

/** Runs one chunk of FRAMES_A_CHUNK frames or blocks. */
type RunChunk = () => void;

const CREATE: Record<CaseName, () => RunChunk> = {
  "HPACK alone: repeated block": () => createHpack("repeated"),
  "HPACK alone: fresh block": () => createHpack("fresh"),
  "core: call with a repeated block": () => createCalls("repeated"),
  "core: call with a fresh block": () => createCalls("fresh"),
  "core: DATA of 150 octets": () => createData(),
  "core: WINDOW_UPDATE": () => createWindowUpdates(),
};

function createHpack(kind: "repeated" | "fresh"): RunChunk {
  const decoder = new HpackDecoder({ maxTableBytes: 4_096, maxListBytes: 16_384, maxFields: 128 });
  const { first, later } = createBlocks(kind, FRAMES_A_CHUNK * FRESH_CHUNKS);
  const fields: HeaderField[] = [];
  decoder.decode(first, 0, first.length, fields);
  let next = 0;
  return () => {
    for (let count = 0; count < FRAMES_A_CHUNK; count++) {
      const block = later[next++ % later.length]!;
      if (decoder.decode(block, 0, block.length, fields) !== 0) throw new Error(decoder.lastError);
    }
    if (fields.length < 8) throw new Error(`a block decoded to ${fields.length} fields`);
  };
}

/** A call as far as the core is concerned: HEADERS that end the stream in, HEADERS that end it out. */
function createCalls(kind: "repeated" | "fresh"): RunChunk {
  const { connection, sink } = createReadyServer();
  const { first, later } = createBlocks(kind, FRAMES_A_CHUNK * FRESH_CHUNKS);
  connection.receive(frames.headers(1).block(first).endStream().bytes(), 0);
  const chunks = Array.from({ length: FRESH_CHUNKS }, (_, index) => {
    const blocks = later.slice(index * FRAMES_A_CHUNK, (index + 1) * FRAMES_A_CHUNK);
    const pieces = blocks.map((block) => frames.headers(1).block(block).endStream().bytes());
    return { bytes: Buffer.concat(pieces), lengths: pieces.map((piece) => piece.length) };
  });
  let streamId = 3;
  let next = 0;
  return () => {
    const { bytes, lengths } = chunks[next++ % chunks.length]!;
    let at = 0;
    for (const length of lengths) {
      bytes.writeUInt32BE(streamId, at + 5);
      streamId += 2;
      at += length;
    }
    if (streamId > LAST_STREAM_ID) throw new Error("out of stream ids: measure for a shorter time");
    const before = sink.calls;
    connection.receive(bytes, 0);
    takeOutput(connection);
    if (sink.calls - before !== FRAMES_A_CHUNK) throw new Error(`${sink.calls - before} calls of ${FRAMES_A_CHUNK}`);
  };
}

function createData(): RunChunk {
  const { connection, sink } = createReadyServer();
  openStream(connection);
  const chunk = repeat(frames.data(1, DATA_OCTETS).bytes());
  return () => {
    const before = sink.octets;
    connection.receive(chunk, 0);
    takeOutput(connection);
    const arrived = sink.octets - before;
    if (arrived !== DATA_OCTETS * FRAMES_A_CHUNK) throw new Error(`${arrived} octets of DATA arrived`);
  };
}

function createWindowUpdates(): RunChunk {
  const { connection } = createReadyServer();
  const chunk = repeat(frames.windowUpdate(0, 1).bytes());
  return () => {
    const before = connection.windows.send;
    connection.receive(chunk, 0);
    const grown = connection.windows.send - before;
    if (grown !== FRAMES_A_CHUNK) throw new Error(`the window grew by ${grown}`);
  };
}

function openStream(connection: Http2Connection): void {
  connection.receive(frames.headers(1).request("POST", "/user.UserService/CreateUserStream").bytes(), 0);
}

function repeat(frame: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: FRAMES_A_CHUNK }, () => frame));
}

function takeOutput(connection: Http2Connection): void {
  const output = connection.takeOutput();
  if (output !== undefined) releaseBuffer(output.owner);
  connection.handleRoom();
}

function measure({ name, durationMs }: Job): Measured {
  const run = CREATE[name]();
  const startedAt = performance.now();
  let chunks = 0;
  let elapsed = 0;
  for (; elapsed < durationMs; elapsed = performance.now() - startedAt, chunks++) run();
  return { nanoseconds: (elapsed * 1e6) / (chunks * FRAMES_A_CHUNK) };
}

answerJobs(measure);
