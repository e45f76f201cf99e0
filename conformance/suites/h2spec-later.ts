/**
 * The one server case that h2spec has gained since the release that can be had (see `tools/versions.ts`): its number 2 of
 * HPACK §2.3.3, a literal field whose name is an index beyond both tables. Played here, over the same connection as the
 * others, so that nothing of the current list is left out. Stricter than h2spec: a connection that just closes fails.
 */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { FrameTrace, frames, headerBlock } from "../../packages/volant/src/testing/frame-factory.ts";
import type { CaseResult } from "./suite.ts";
import { runChecks } from "./suite.ts";

const NAME = "hpack/2.3.3/2: Sends a literal header field representation with an invalid index (played by this suite)";
/** With incremental indexing, name at index 70 of 61 and an empty table, value "x". RFC 7541 §6.2.1. */
const INVALID_LITERAL = Buffer.of(0x7f, 70 - 63, 0x01, 0x78);

export async function runLaterCases(port: number, isTls: boolean): Promise<CaseResult[]> {
  return runChecks({ [NAME]: () => expectCompressionError(port, isTls) });
}

async function expectCompressionError(port: number, isTls: boolean): Promise<void> {
  const socket = isTls
    ? connectTls({ port, host: "127.0.0.1", ALPNProtocols: ["h2"], rejectUnauthorized: false })
    : connectTcp({ port, host: "127.0.0.1" });
  try {
    socket.write(Buffer.concat([frames.preface, frames.settings().bytes(), createRequest()]));
    const goAway = await readGoAway(socket);
    if (!goAway.includes("COMPRESSION_ERROR")) throw new Error(`expected GOAWAY COMPRESSION_ERROR, got ${goAway}`);
  } finally {
    socket.destroy();
  }
}

function createRequest(): Buffer {
  const fields = headerBlock([
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", "127.0.0.1"],
  ]);
  return frames
    .headers(1)
    .block(Buffer.concat([fields, INVALID_LITERAL]))
    .endStream()
    .bytes();
}

async function readGoAway(socket: Socket): Promise<string> {
  const trace = new FrameTrace();
  for await (const chunk of socket) {
    const goAway = trace.read(chunk as Buffer).find(({ text }) => text.startsWith("GOAWAY"));
    if (goAway !== undefined) return goAway.text;
  }
  return "the end of the connection without one";
}
