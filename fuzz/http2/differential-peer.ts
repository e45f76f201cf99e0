/**
 * `node:http2` as something that answers at once: a target is synchronous, so it runs on a thread of its own and is waited
 * for. Owns that thread.
 */
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Role } from "../../packages/volant/src/http2/index.ts";
import { ASKED, type Session } from "./deviations.ts";
import type { DifferentialPort, Question } from "./differential-worker.ts";

/**
 * Only so that a worker that hangs ends the run at some time: on a busy machine it may take long to start, and what is no answer in
 * time would be taken for a finding, whose seed finds nothing.
 */
const PATIENCE_MS = 3_600_000;

let connected: DifferentialPort | undefined;

/** What that role of `node:http2` sends in a session. */
export function nodeAnswer(role: Role, { opening, rest }: Session): Buffer {
  connected ??= connect();
  const { port, flag } = connected;
  Atomics.store(flag, 0, 0);
  const requests = role === "client" ? ASKED.length : 0;
  const question: Question = { role, requests, opening: Uint8Array.from(opening), rest: Uint8Array.from(rest) };
  port.postMessage(question);
  if (Atomics.wait(flag, 0, 0, PATIENCE_MS) === "timed-out") {
    throw new Error(`node:http2 gave no answer within ${PATIENCE_MS} ms`);
  }
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
