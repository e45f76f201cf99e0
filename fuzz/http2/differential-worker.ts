/**
 * `node:http2` as a server on a wire in memory, one connection for each message, so that the fuzzer can wait for it without
 * an event loop of its own. Owns that server and what it says of the octets; judges nothing.
 */
import { once } from "node:events";
import { createServer } from "node:http2";
import { Duplex } from "node:stream";
import { type MessagePort, workerData } from "node:worker_threads";

/** What is exchanged with the fuzzer. */
export interface DifferentialPort {
  readonly port: MessagePort;
  /** One number: 1 once the answer is posted. */
  readonly flag: Int32Array;
}

/** So many turns of the loop without output: it has said all it will. */
const QUIET_TURNS = 6;

const { port, flag } = workerData as DifferentialPort;
const server = createServer({ maxSessionInvalidFrames: 1_000_000 });
server.on("stream", (stream) => {
  // What the peer breaks is seen on the wire.
  stream.on("error", () => stream.destroy());
  stream.resume();
});
server.on("sessionError", () => undefined);

port.on("message", (octets: Uint8Array) => {
  void answer(Buffer.from(octets)).then((sent) => {
    port.postMessage(sent);
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
  });
});

async function answer(octets: Buffer): Promise<Uint8Array> {
  const sent: Buffer[] = [];
  let quiet = 0;
  const wire = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      sent.push(chunk);
      quiet = 0;
      done();
    },
  });
  wire.on("error", () => wire.destroy());
  server.emit("connection", wire);
  wire.push(octets);
  while (quiet++ < QUIET_TURNS && !wire.destroyed) await new Promise((resolve) => setImmediate(resolve));
  if (!wire.destroyed) {
    const closed = once(wire, "close");
    wire.destroy();
    await closed;
  }
  return Uint8Array.from(Buffer.concat(sent));
}
