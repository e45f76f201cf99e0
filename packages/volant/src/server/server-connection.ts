/**
 * One connection of a server: turns HTTP/2 streams into calls. Owns the step from headers to a bound method, the answers to
 * what is no call, and the end of everything when the connection ends.
 */
import { findMetadataFault } from "../grpc/metadata-codec.ts";
import { checkRequest, checkTimeout } from "../grpc/request-rules.ts";
import { StatusCode } from "../grpc/status-code.ts";
import { parseTimeout } from "../grpc/timeout.ts";
import { NO_DEADLINE } from "../rpc/deadline.ts";
import { createRpcError } from "../rpc/rpc-error.ts";
import type { InboundLimits } from "../stream/inbound.ts";
import { isThenable } from "../stream/pump.ts";
import { Driver } from "../transport/driver.ts";
import {
  type ErrorCode,
  type Fault,
  type GoAway,
  type HeaderField,
  Http2Connection,
  type Http2Sink,
  type Http2Stream,
} from "../transport/http2.ts";
import { Keepalive } from "../transport/keepalive.ts";
import { timerWheel, WheelTimer } from "../transport/timer-wheel.ts";
import type { Peer, Wire, WireSink } from "../transport/wire.ts";
import type { IncomingCall } from "./incoming-call.ts";
import { RequestHead } from "./request-head.ts";
import { trailersOnly } from "./responses.ts";
import type { Router } from "./router.ts";
import type { RunningHandlers } from "./running-handlers.ts";
import type { ResolvedServerOptions } from "./server-options.ts";
import { ServerStream, type StreamHost } from "./server-stream.ts";

/** Identity is the only encoding so far; a peer learns it from the refusal. gRPC compression spec. */
const IDENTITY = "identity";

export class ServerConnection extends WheelTimer implements Http2Sink, StreamHost {
  readonly http2: Http2Connection;
  readonly limits: InboundLimits;
  readonly running: RunningHandlers;
  private readonly driver: Driver;
  private readonly router: Router;
  private readonly options: ResolvedServerOptions;
  private readonly keepalive: Keepalive;
  private readonly head = new RequestHead();
  private draining = false;
  /** A call began, or was there, since the idle timer was armed. */
  private isUsed = false;

  /** `onGone` is called once, when the connection is over and holds nothing any more. */
  constructor(
    router: Router,
    options: ResolvedServerOptions,
    running: RunningHandlers,
    onGone: (connection: ServerConnection) => void,
  ) {
    super();
    this.router = router;
    this.options = options;
    this.limits = options.limits;
    this.running = running;
    this.http2 = new Http2Connection("server", options.http2, this);
    this.driver = new Driver(
      this.http2,
      () => {
        this.stopTimers();
        onGone(this);
      },
      (error) => this.reportError(error, undefined),
    );
    this.keepalive = new Keepalive(this.driver, options.keepalive);
  }

  /** What the wire reports to. */
  get wireSink(): WireSink {
    return this.driver;
  }

  start(wire: Wire): void {
    this.driver.start(wire);
    this.keepalive.start();
    this.armIdle();
  }

  get peer(): Peer {
    return this.driver.peer;
  }

  get streamCount(): number {
    return this.http2.streamCount;
  }

  /** Tells the peer to go elsewhere; the connection closes when its last call has ended. */
  drain(): void {
    if (this.draining) return;
    this.draining = true;
    this.http2.beginDrain(performance.now());
    this.driver.afterCore();
  }

  close(): void {
    this.driver.close();
  }

  reportError(error: unknown, call: IncomingCall | undefined): void {
    callListener("onError", () => this.options.onError(error, call));
  }

  /** See `maxConnectionIdleMs`: what was used since the last look gets another round. */
  override onTimer(): void {
    if (this.isUsed || this.http2.streamCount > 0) this.armIdle();
    else this.drain();
  }

  // Http2Sink

  onHeaders(stream: Http2Stream, fields: HeaderField[], endStream: boolean): void {
    const { head } = this;
    this.isUsed = true;
    head.read(fields);
    const refusal = checkRequest(head.method, head.contentType, head.te) ?? checkTimeout(head.timeout);
    if (refusal !== undefined) {
      this.reject(stream, refusal.grpcStatus, refusal.message, refusal.httpStatus);
      return;
    }
    const method = this.router.get(head.path);
    if (method === undefined) {
      this.reject(stream, StatusCode.UNIMPLEMENTED, this.unknownPath(head.path));
      return;
    }
    if (head.encoding !== undefined && head.encoding !== IDENTITY) {
      this.reject(stream, StatusCode.UNIMPLEMENTED, `grpc-encoding ${JSON.stringify(head.encoding)} is not supported`);
      return;
    }
    const fault = head.hasBinaryMetadata ? findMetadataFault(fields) : undefined;
    if (fault !== undefined) {
      this.reject(stream, StatusCode.INTERNAL, fault);
      return;
    }
    const nowMs = this.driver.lastReadMs;
    const deadlineMs = head.timeout === undefined ? NO_DEADLINE : nowMs + parseTimeout(head.timeout);
    const call = new ServerStream(this, stream, method, fields, nowMs, deadlineMs);
    stream.context = call;
    call.begin();
    if (endStream) call.onHalfClose();
  }

  onData(stream: Http2Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const call = stream.context as ServerStream | undefined;
    if (call === undefined) this.http2.consume(stream, end - start);
    else call.onData(bytes, start, end, endStream);
  }

  onTrailers(stream: Http2Stream): void {
    (stream.context as ServerStream | undefined)?.onHalfClose();
  }

  onReset(stream: Http2Stream, code: ErrorCode): void {
    (stream.context as ServerStream | undefined)?.onReset(code);
  }

  onWritable(stream: Http2Stream): void {
    (stream.context as ServerStream | undefined)?.onWritable();
  }

  onSettings(): void {}

  /** A client that goes away finishes what it has begun; there is nothing to do for it. */
  onGoAway(_goAway: GoAway): void {}

  onPingAck(): void {}

  onClosed(_fault: Fault): void {
    this.stopTimers();
    for (const stream of this.http2.streams()) (stream.context as ServerStream | undefined)?.onConnectionLost();
  }

  onOutput(urgent: boolean): void {
    this.driver.outputPending(urgent);
  }

  private reject(stream: Http2Stream, code: StatusCode, message: string, httpStatus = 200): void {
    const block = trailersOnly(createRpcError("library", code, message), undefined, httpStatus);
    if (code === StatusCode.UNIMPLEMENTED && this.head.encoding !== undefined) {
      block.push({ name: "grpc-accept-encoding", value: IDENTITY, indexing: 1 });
    }
    this.http2.sendHeaders(stream, block, true);
    this.http2.resetWhenDone(stream);
    const { onRejected } = this.options;
    if (onRejected === undefined) return;
    const rejected = { path: this.head.path, code, peer: this.peer };
    callListener("onRejected", () => onRejected(rejected));
  }

  private unknownPath(path: string): string {
    const shown = path.length > 256 ? `${path.slice(0, 256)}…` : path;
    const service = /^\/([^/]+)\/[^/]+$/.exec(path)?.[1];
    if (service === undefined) return `${shown} is no method path; it has the form /package.Service/Method`;
    return this.router.hasService(service) ? `unknown method ${shown}` : `unknown service ${service}`;
  }

  private armIdle(): void {
    const { maxConnectionIdleMs } = this.options;
    if (maxConnectionIdleMs === Number.POSITIVE_INFINITY) return;
    this.isUsed = this.http2.streamCount > 0;
    timerWheel.arm(this, performance.now() + maxConnectionIdleMs);
  }

  private stopTimers(): void {
    this.keepalive.stop();
    timerWheel.disarm(this);
  }
}

/** A listener of the application that fails, also one that is async, must not take the connection with it. */
export function callListener(name: string, call: () => unknown): void {
  const onFailed = (failure: unknown): void => {
    process.stderr.write(`volant: ${name} itself failed: ${String(failure)}\n`);
  };
  try {
    const result = call();
    if (isThenable(result)) result.then(undefined, onFailed);
  } catch (failure) {
    onFailed(failure);
  }
}
