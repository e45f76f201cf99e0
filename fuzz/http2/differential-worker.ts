/**
 * `node:http2` in either role on a wire in memory, one connection for each message, so that the fuzzer can wait for it
 * without an event loop of its own. Owns those connections and what they say of the octets; judges nothing.
 */
import { once } from "node:events";
import { type ClientHttp2Session, connect, createServer, type Http2Stream } from "node:http2";
import { Duplex } from "node:stream";
import { type MessagePort, workerData } from "node:worker_threads";
import type { Role } from "../../packages/volant/src/http2/index.ts";

/** What is exchanged with the fuzzer. */
export interface DifferentialPort {
  readonly port: MessagePort;
  /** One number: 1 once the answer is posted. */
  readonly flag: Int32Array;
}

export interface Question {
  /** The role that is asked. */
  readonly role: Role;
  /** So many requests does a client make between the two parts. */
  readonly requests: number;
  readonly opening: Uint8Array;
  readonly rest: Uint8Array;
}

/** So many turns of the loop without output: it has said all it will. */
const QUIET_TURNS = 6;
const MOST_INVALID_FRAMES = 1_000_000;

const { port, flag } = workerData as DifferentialPort;
const server = createServer({ maxSessionInvalidFrames: MOST_INVALID_FRAMES });
server.on("stream", readToTheEnd);
server.on("sessionError", () => undefined);

port.on("message", (question: Question) => {
  void answer(question).then((sent) => {
    port.postMessage(sent);
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
  });
});

/** What the peer breaks is seen on the wire. */
function readToTheEnd(stream: Http2Stream): void {
  stream.on("error", () => stream.destroy());
  stream.resume();
}

/** Notes what is written to it. */
class Wire extends Duplex {
  readonly sent: Buffer[] = [];
  private quiet = 0;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.sent.push(chunk);
    this.quiet = 0;
    done();
  }

  async untilQuiet(): Promise<void> {
    this.quiet = 0;
    while (this.quiet++ < QUIET_TURNS && !this.destroyed) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function answer({ role, requests, opening, rest }: Question): Promise<Uint8Array> {
  const wire = new Wire();
  wire.on("error", () => wire.destroy());
  const session = role === "client" ? connectOver(wire) : undefined;
  if (session === undefined) server.emit("connection", wire);
  else await once(session, "connect");
  wire.push(opening);
  if (session !== undefined) {
    for (let count = 0; count < requests; count++) {
      readToTheEnd(session.request({ ":method": "POST", ":path": "/s/m" }, { endStream: false }));
    }
    await wire.untilQuiet();
  }
  wire.push(rest);
  await wire.untilQuiet();
  if (!wire.destroyed) {
    const closed = once(wire, "close");
    wire.destroy();
    await closed;
  }
  return Uint8Array.from(Buffer.concat(wire.sent));
}

function connectOver(wire: Wire): ClientHttp2Session {
  const session = connect("http://test", {
    createConnection: () => wire,
    settings: { enablePush: false },
  });
  session.on("error", () => session.destroy());
  return session;
}
