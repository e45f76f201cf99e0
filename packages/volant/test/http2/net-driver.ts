/**
 * The smallest driver that puts a core on a socket, for tests against other implementations. Owns the calls that
 * `http2/connection.ts` asks for, and nothing else.
 */
import type { Socket } from "node:net";
import {
  Http2Connection,
  type Http2Options,
  type Role,
  releaseBuffer,
  resolveHttp2Options,
} from "../../src/http2/index.ts";
import { RecordingSink } from "../../src/testing/connection-pair.ts";

export class NetDriver {
  readonly http2: Http2Connection;
  readonly sink: RecordingSink;
  /** Settles when the socket is gone. */
  readonly gone: Promise<void>;
  private readonly socket: Socket;
  private isWriting = false;
  private isFlushing = false;

  constructor(role: Role, socket: Socket, options: Http2Options = {}) {
    this.socket = socket;
    this.sink = new RecordingSink({ onOutput: () => this.flushSoon() });
    this.http2 = new Http2Connection(role, resolveHttp2Options(options), this.sink);
    this.gone = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("data", (bytes) => this.onChunk(bytes as Buffer));
    socket.on("close", () => this.http2.handleTransportClosed());
    socket.on("error", (error) => socket.destroy(error));
    this.http2.start(performance.now());
  }

  /** Reacts in addition to sending output. */
  react(react: RecordingSink["react"]): this {
    this.sink.react = { ...react, onOutput: () => this.flushSoon() };
    return this;
  }

  close(): void {
    this.http2.close();
    this.flush();
  }

  private onChunk(bytes: Buffer): void {
    this.http2.receive(bytes, performance.now());
    if (!this.http2.mayRead) this.flush();
    if (this.http2.isClosed) this.flush();
  }

  private flushSoon(): void {
    if (this.isFlushing) return;
    this.isFlushing = true;
    setImmediate(() => {
      this.isFlushing = false;
      this.flush();
    });
  }

  private flush(): void {
    while (!this.isWriting && !this.socket.destroyed) {
      const taken = this.http2.takeOutput();
      if (taken === undefined) break;
      this.isWriting = !this.socket.write(taken.bytes, () => releaseBuffer(taken.owner));
      if (this.isWriting) this.socket.once("drain", () => this.onDrain());
      else this.http2.handleRoom();
    }
    if (this.http2.isClosed && !this.isWriting) this.socket.destroySoon();
    else if (!this.http2.mayRead) this.socket.pause();
  }

  private onDrain(): void {
    this.isWriting = false;
    this.socket.resume();
    this.http2.handleRoom();
    this.flush();
  }
}
