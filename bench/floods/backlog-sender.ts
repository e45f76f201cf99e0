// Owns: bytes that wait on many sockets at once: `backlog-sender.ts PORT TRANSPORT`, then jobs. It opens connections, lets each do its
// handshakes, then hands 2 MB of tiny frames to every one in the same turn, and waits until the server has answered what is behind
// them. All of it keeps to the server's limits, so that nothing but the frames themselves costs it time.

import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { FrameTrace, frames } from "../../packages/volant/src/testing/frame-factory.ts";
import type { Transport } from "../lib/transport.ts";
import { answerJobs } from "../lib/worker-jobs.ts";
import { createPatientFlood } from "./patient-frames.ts";
import type { BacklogJob, BacklogReport } from "./protocol.ts";

const BACKLOG_BYTES = 2_000_000;
const END = `PING ${Buffer.from("the last").toString("hex")} ack`;

const port = Number(process.argv[2]);
const transport = process.argv[3] as Transport;
const flood = createPatientFlood("DATA of one octet");
const backlog = createBacklog();

function createBacklog(): Buffer {
  const nextBody = flood.createBodies();
  const bodies: Buffer[] = [];
  for (let bytes = 0; bytes < BACKLOG_BYTES; bytes += bodies.at(-1)!.length) bodies.push(nextBody()!);
  return Buffer.concat([...bodies, frames.ping("the last").bytes()]);
}

async function open(): Promise<Socket> {
  const where = { port, host: "127.0.0.1", noDelay: true };
  const isTls = transport === "tls";
  const socket = isTls ? connectTls({ ...where, ALPNProtocols: ["h2"], rejectUnauthorized: false }) : connect(where);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("error", reject);
  socket.once(isTls ? "secureConnect" : "connect", resolve);
  await promise;
  socket.off("error", reject);
  return socket;
}

/** Resolves when the server has answered what is behind the backlog. */
function untilAnswered(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const trace = new FrameTrace();
  socket.on("data", (bytes: Buffer) => {
    for (const { text } of trace.read(bytes)) {
      if (text === END) resolve();
      if (text.startsWith("GOAWAY")) reject(new Error(`the server ended a connection within its limits: ${text}`));
    }
  });
  socket.on("error", reject);
  socket.on("close", () => reject(new Error("the server closed a connection within its limits")));
  return promise;
}

async function send({ sockets }: BacklogJob): Promise<BacklogReport> {
  const opened = await Promise.all(Array.from({ length: sockets }, open));
  try {
    for (const socket of opened) socket.write(flood.opening);
    const answered = opened.map(untilAnswered);
    const startedAt = performance.now();
    for (const socket of opened) socket.write(backlog);
    await Promise.all(answered);
    return { bytes: sockets * backlog.length, ms: performance.now() - startedAt };
  } finally {
    for (const socket of opened) socket.destroy();
  }
}

answerJobs(send);
