// Owns: the peer of many connections: `attacker.ts`, then jobs. Its frames are as short as HPACK lets them be, so that an octet costs the
// server as much as it can. Invariant: loopback only, a limited time, every socket is closed at the end of its job.

import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { FrameFlag } from "../../packages/volant/src/http2/frame-type.ts";
import { frames } from "../../packages/volant/src/testing/frame-factory.ts";
import { createFlood, HELLO } from "../floods/flood-frames.ts";
import { createGetUserMessage } from "../lib/raw-call.ts";
import { answerJobs } from "../lib/worker-jobs.ts";
import type { AttackJob, AttackKind, AttackReport } from "./protocol.ts";

/** The server's limit of concurrent streams is twice that. */
const CALLS_A_BATCH = 50;
const TINY_BYTES = 2_000_000;
const FRAME_HEADER_BYTES = 9;
const PATHS = { "legal calls": "/user.UserService/GetUser", "unknown methods": "/user.UserService/Gone" };

answerJobs(async (job: AttackJob): Promise<AttackReport> => {
  const report = { answers: 0, ended: 0 };
  const lanes = await Promise.all(Array.from({ length: job.connections }, () => open(job)));
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, (job.sendsAt ?? 0) - Date.now())));
  for (const socket of lanes) {
    socket.on("error", () => socket.destroy());
    socket.once("end", () => report.ended++);
    if (job.kind === "tiny frames") sendTiny(socket);
    else keepCalling(socket, job.kind, () => report.answers++);
  }
  await new Promise((resolve) => setTimeout(resolve, job.seconds * 1_000));
  for (const socket of lanes) socket.destroy();
  return report;
});

function open({ port, localAddress, ca }: AttackJob): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const below = connect({ port, host: "127.0.0.1", localAddress, noDelay: true });
  const socket =
    ca === undefined ? below : connectTls({ socket: below, ca, servername: "localhost", ALPNProtocols: ["h2"] });
  socket.once(ca === undefined ? "connect" : "secureConnect", () => resolve(socket));
  socket.once("error", reject);
  return promise;
}

function sendTiny(socket: Socket): void {
  const flood = createFlood("DATA of one octet");
  const body = flood.createBodies()()!;
  socket.resume();
  socket.write(Buffer.concat([flood.opening, Buffer.alloc(TINY_BYTES, body)]));
}

/** Two batches are under way; for each half of them that is answered another batch goes out. */
function keepCalling(socket: Socket, kind: Exclude<AttackKind, "tiny frames">, onAnswer: () => void): void {
  let nextId = 3;
  let answered = 0;
  const sendBatch = (): void => {
    socket.write(createBatch(nextId));
    nextId += 2 * CALLS_A_BATCH;
  };
  countAnswers(socket, () => {
    onAnswer();
    if (++answered % CALLS_A_BATCH === 1 && answered > 1) sendBatch();
  });
  socket.write(Buffer.concat([HELLO, createFirstCall(PATHS[kind])]));
  sendBatch();
  sendBatch();
}

/** What the others refer to: its path, te and content-type are the first three entries of the dynamic table. */
function createFirstCall(path: string): Buffer {
  const literal = (text: string): Buffer => Buffer.concat([Buffer.of(text.length), Buffer.from(text)]);
  const block = Buffer.concat([
    Buffer.of(0x83, 0x86),
    Buffer.of(0x44),
    literal(path),
    Buffer.of(0x40),
    literal("te"),
    literal("trailers"),
    Buffer.of(0x5f),
    literal("application/grpc"),
  ]);
  return Buffer.concat([headersFrame(1, block), frames.data(1, createGetUserMessage()).endStream().bytes()]);
}

const BLOCK = Buffer.of(0x83, 0x86, 0xc0, 0xbf, 0xbe);
const CALL = Buffer.concat([headersFrame(1, BLOCK), frames.data(1, createGetUserMessage()).endStream().bytes()]);
const HEADERS_BYTES = FRAME_HEADER_BYTES + BLOCK.length;

function createBatch(firstId: number): Buffer {
  const batch = Buffer.alloc(CALLS_A_BATCH * CALL.length, CALL);
  for (let index = 0; index < CALLS_A_BATCH; index++) {
    const at = index * CALL.length + FRAME_HEADER_BYTES - 4;
    batch.writeUInt32BE(firstId + 2 * index, at);
    batch.writeUInt32BE(firstId + 2 * index, at + HEADERS_BYTES);
  }
  return batch;
}

function headersFrame(id: number, block: Buffer): Buffer {
  const head = Buffer.alloc(FRAME_HEADER_BYTES);
  head.writeUIntBE(block.length, 0, 3);
  head[3] = 1;
  head[4] = FrameFlag.END_HEADERS;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, block]);
}

/** Frames that end their stream. */
function countAnswers(socket: Socket, onAnswer: () => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      const [type, flags] = [bytes[at + 3]!, bytes[at + 4]!];
      if (type <= 1 && (flags & FrameFlag.END_STREAM) !== 0) onAnswer();
      at = end;
    }
    rest = Buffer.from(bytes.subarray(at));
  });
}
