/**
 * Puts a core on a socket, in either role: what the suites that speak plain HTTP/2 have in common. Owns the calls that
 * `Http2Connection` asks of its driver; what happens on streams is the business of `react`.
 */
import type { Socket } from "node:net";
import {
  type Fault,
  Http2Connection,
  type Http2Options,
  type Http2Sink,
  Indexing,
  type OutboundField,
  releaseBuffer,
  resolveHttp2Options,
} from "volant/http2";

const IGNORE = (): void => {};

/** Fields that go into no table. */
export function toFields(fields: Iterable<readonly [name: string, value: string]>): OutboundField[] {
  return Array.from(fields, ([name, value]) => ({ name, value, indexing: Indexing.INCREMENTAL }));
}

export class SocketDriver {
  readonly http2: Http2Connection;
  /** Settles when the socket is gone. */
  readonly gone: Promise<Fault | undefined>;
  private readonly socket: Socket;
  private timer: NodeJS.Timeout | undefined;
  private isWriting = false;
  private isFlushDue = false;

  constructor(role: "client" | "server", socket: Socket, react: Partial<Http2Sink>, options: Http2Options = {}) {
    this.socket = socket;
    const sink: Http2Sink = {
      onHeaders: IGNORE,
      onTrailers: IGNORE,
      onData: IGNORE,
      onReset: IGNORE,
      onWritable: IGNORE,
      onSettings: IGNORE,
      onGoAway: IGNORE,
      onPingAck: IGNORE,
      onClosed: IGNORE,
      ...react,
      onOutput: () => this.flushSoon(),
    };
    this.http2 = new Http2Connection(role, resolveHttp2Options(options), sink);
    const { promise, resolve } = Promise.withResolvers<Fault | undefined>();
    this.gone = promise;
    socket.setNoDelay(true);
    socket.on("data", (bytes) => {
      this.http2.receive(bytes as Buffer, performance.now());
      this.flush();
    });
    // A reset socket closes too; there is nobody left to tell.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(this.timer);
      this.http2.handleTransportClosed();
      resolve(this.http2.fault);
    });
    this.http2.start(performance.now());
    this.flushSoon();
  }

  /** GOAWAY, then the end of the socket. */
  close(): void {
    this.http2.close();
    this.flush();
  }

  private flushSoon(): void {
    if (this.isFlushDue) return;
    this.isFlushDue = true;
    setImmediate(() => {
      this.isFlushDue = false;
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
    if ((this.http2.isClosed || this.http2.isDrained) && !this.isWriting) this.socket.destroySoon();
    else if (!this.http2.mayRead) {
      this.socket.pause();
      this.http2.handlePause(true, performance.now());
    }
    this.armTimer();
  }

  private onDrain(): void {
    this.isWriting = false;
    this.socket.resume();
    this.http2.handlePause(false, performance.now());
    this.http2.handleRoom();
    this.flush();
  }

  private armTimer(): void {
    clearTimeout(this.timer);
    const dueMs = this.http2.nextTimeout();
    if (dueMs === Number.POSITIVE_INFINITY || this.socket.destroyed) return;
    const onDue = (): void => {
      this.http2.handleTimeout(performance.now());
      this.flush();
    };
    this.timer = setTimeout(onDue, Math.max(1, dueMs - performance.now()));
  }
}
