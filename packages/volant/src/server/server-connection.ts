/**
 * One connection of a server: turns HTTP/2 streams into calls. Owns the step from headers to a bound method, the answers to
 * what is no call, and the end of everything when the connection ends.
 */

import { IDENTITY } from "../grpc/message-encoding.ts";
import { findMetadataFault } from "../grpc/metadata-codec.ts";
import { printable, quote } from "../grpc/printable.ts";
import { checkRequest, checkTimeout } from "../grpc/request-rules.ts";
import { StatusCode } from "../grpc/status-code.ts";
import { parseTimeout } from "../grpc/timeout.ts";
import { NO_DEADLINE } from "../rpc/deadline.ts";
import { createRpcError } from "../rpc/rpc-error.ts";
import { limitsOfPeer, type PeerLimits } from "../stream/inbound-limits.ts";
import { isThenable } from "../stream/pump.ts";
import { UnsentShare } from "../stream/unsent-share.ts";
import { breakReason } from "../transport/broken-wire.ts";
import { Driver } from "../transport/driver.ts";
import type { FaultTotals } from "../transport/fault-totals.ts";
import {
  ErrorCode,
  type Fault,
  type GoAway,
  type HeaderField,
  Http2Connection,
  type Http2Sink,
  type Http2Stream,
  type Initiator,
  listBytes,
} from "../transport/http2.ts";
import { Keepalive } from "../transport/keepalive.ts";
import { monotonicMs } from "../transport/time.ts";
import type { Peer, Wire, WireSink } from "../transport/wire.ts";
import { ConnectionLifetime, type LifetimeHost } from "./connection-lifetime.ts";
import { fitStatus, type StatusLoss } from "./fitted-status.ts";
import type { IncomingCall } from "./incoming-call.ts";
import type { LossReports } from "./loss-reports.ts";
import type { OrphanShare } from "./orphan-share.ts";
import { PingPolicy, TOO_MANY_PINGS } from "./ping-policy.ts";
import { RequestHead } from "./request-head.ts";
import { RequestStalls } from "./request-stall.ts";
import { ANSWER_HEAD, type EndOfCall, refusalHead } from "./responses.ts";
import type { Router } from "./router.ts";
import type { RunningHandlers } from "./running-handlers.ts";
import type { ResolvedServerOptions } from "./server-options.ts";
import { ServerStream } from "./server-stream.ts";
import type { StreamHost } from "./stream-host.ts";

/** What the connections of a server share. */
export interface ServerParts {
  readonly router: Router;
  readonly options: ResolvedServerOptions;
  readonly running: RunningHandlers;
  readonly faults: FaultTotals;
  readonly losses: LossReports;
  readonly turns: { waited: number };
}

/** What a call hears of the end of its connection, where more is known than that it ended. */
const LOST: Readonly<Record<string, string>> = {
  "write-stalled": "the client read nothing of what was sent to it",
  "keepalive-timeout": "the client did not answer a keepalive ping",
  "frame-timeout": "the client began a frame and did not finish it",
  "header-block-timeout": "the client began a header block and did not finish it",
  "max-age-grace-over": "the connection reached its greatest age, and the grace after it is over",
};

/** A client that takes less can be answered nothing but a code: no handler runs for it. */
const LEAST_LIST_BYTES = listBytes(ANSWER_HEAD);
const NO_ROOM_TO_ANSWER = "the client takes no header list that an answer could have";

export class ServerConnection implements Http2Sink, StreamHost, LifetimeHost {
  readonly http2: Http2Connection;
  readonly running: RunningHandlers;
  /** Set by `start`. */
  limits!: PeerLimits;
  unsent!: UnsentShare;
  orphanShare!: OrphanShare;
  /** Grows when the client begins or resets a call. */
  activity = 0;
  private readonly driver: Driver;
  private readonly router: Router;
  private readonly options: ResolvedServerOptions;
  private readonly faults: FaultTotals;
  private readonly losses: LossReports;
  private readonly keepalive: Keepalive;
  private readonly lifetime: ConnectionLifetime;
  private readonly head = new RequestHead();
  /** Made with the first PING. */
  private pings: PingPolicy | undefined = undefined;
  /** Made with the first call whose request is not complete with its headers. */
  private requestStalls: RequestStalls | undefined = undefined;
  private draining = false;
  private isLossReported = false;

  /** `onGone` is called once, when the connection is over and holds nothing any more. */
  constructor(parts: ServerParts, onGone: (connection: ServerConnection) => void) {
    const { router, options, running, faults, losses, turns } = parts;
    this.router = router;
    this.options = options;
    this.running = running;
    this.faults = faults;
    this.losses = losses;
    this.http2 = new Http2Connection("server", options.http2, this);
    this.driver = new Driver(
      this.http2,
      () => {
        this.stopTimers();
        running.shares.leave(this.orphanShare);
        this.limits.share.leave();
        this.unsent.leave();
        onGone(this);
      },
      (error) => this.reportError(error, undefined),
    );
    this.driver.turnSliceMs = options.turnSliceMs;
    this.driver.onTurnWaited = () => void turns.waited++;
    this.keepalive = new Keepalive(this.driver, options.keepalive);
    this.lifetime = new ConnectionLifetime(options, this);
  }

  /** What the wire reports to. */
  get wireSink(): WireSink {
    return this.driver;
  }

  start(wire: Wire): void {
    this.orphanShare = this.running.shares.join(wire.peer.address);
    const { client } = this.orphanShare;
    this.limits = limitsOfPeer(this.options.limits, client);
    this.unsent = new UnsentShare(this.options.unsent, client, () => this.countFault("answer-refused"));
    this.driver.start(wire, this.options.writeStallTimeoutMs);
    this.keepalive.start();
    this.lifetime.start(this.driver.lastReadMs, Math.random());
  }

  get peer(): Peer {
    return this.driver.peer;
  }

  get inputMark(): number {
    return this.driver.inputMark;
  }

  isHandled(inputMark: number): boolean {
    return this.driver.isHandled(inputMark);
  }

  get cancelGraceMs(): number {
    return this.options.cancelGraceMs;
  }

  get streamCount(): number {
    return this.http2.streamCount;
  }

  /** Tells the peer to go elsewhere, and why; the connection closes when its last call has ended. */
  drain(reason?: string): void {
    if (this.draining) return;
    this.draining = true;
    this.http2.beginDrain(monotonicMs(), reason);
    this.driver.afterCore();
  }

  close(fault?: Fault): void {
    this.driver.close(fault);
  }

  reportError(error: unknown, call: IncomingCall | undefined): void {
    callListener("onError", () => this.options.onError(error, call));
  }

  reportLoss(loss: StatusLoss, call: IncomingCall): void {
    this.countFault("status-cut");
    if (!this.losses.isDue(loss, this.isLossReported, this.driver.lastReadMs)) return;
    this.isLossReported = true;
    const text = `the end of ${call.method.path} has ${loss.text}`;
    this.reportError(createRpcError("library", StatusCode.RESOURCE_EXHAUSTED, text), call);
  }

  // Http2Sink

  onHeaders(stream: Http2Stream, fields: HeaderField[], endStream: boolean): void {
    const { head } = this;
    this.activity++;
    if (!this.running.hasRoomFor(this.orphanShare)) {
      this.http2.refuseStream(stream, "orphaned-handlers");
      return;
    }
    head.read(fields);
    const refusal = checkRequest(head.method, head.contentType, head.te) ?? checkTimeout(head.timeout);
    if (refusal !== undefined) {
      this.reject(stream, refusal.grpcStatus, refusal.message, refusal.httpStatus);
      return;
    }
    const method = this.router.get(head.path);
    if (method === undefined) {
      this.reject(stream, StatusCode.UNIMPLEMENTED, this.router.describeUnknown(head.path));
      return;
    }
    if (this.http2.peerLists.bytes < LEAST_LIST_BYTES) {
      this.reject(stream, StatusCode.RESOURCE_EXHAUSTED, NO_ROOM_TO_ANSWER);
      return;
    }
    const { encoding = IDENTITY } = head;
    if (encoding !== IDENTITY && !this.limits.compression.accepted.has(encoding)) {
      this.reject(stream, StatusCode.UNIMPLEMENTED, this.unknownEncoding(encoding));
      return;
    }
    const fault = head.hasBinaryMetadata ? findMetadataFault(fields) : undefined;
    if (fault !== undefined) {
      this.reject(stream, StatusCode.INTERNAL, fault);
      return;
    }
    const nowMs = this.driver.lastReadMs;
    const timeoutMs = head.timeout === undefined ? NO_DEADLINE : parseTimeout(head.timeout);
    const deadlineMs = nowMs + Math.min(timeoutMs, this.options.maxCallDurationMs);
    const call = new ServerStream(this, stream, method, fields, nowMs, deadlineMs, encoding);
    stream.context = call;
    call.begin();
    if (endStream) call.onHalfClose();
    else this.watchRequest(nowMs);
  }

  onOversizedRequest(stream: Http2Stream, fields: readonly HeaderField[]): void {
    const { maxHeaderListBytes, maxHeaderFields } = this.options.http2;
    this.activity++;
    this.head.read(fields);
    const text = `the request's header list is larger than the server takes: ${maxHeaderListBytes} bytes, each field counting 32 more, in ${maxHeaderFields} fields`;
    this.reject(stream, StatusCode.RESOURCE_EXHAUSTED, text);
  }

  onData(stream: Http2Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const call = stream.context as ServerStream | undefined;
    if (call === undefined) this.http2.consume(stream, end - start);
    else call.onData(bytes, start, end, endStream);
  }

  onTrailers(stream: Http2Stream): void {
    (stream.context as ServerStream | undefined)?.onHalfClose();
  }

  onReset(stream: Http2Stream, code: ErrorCode, initiator: Initiator): void {
    this.activity++;
    const call = stream.context as ServerStream | undefined;
    if (initiator === "library" && code === ErrorCode.CANCEL) call?.onStalled();
    else call?.onReset(code, initiator);
  }

  onWritable(stream: Http2Stream): void {
    (stream.context as ServerStream | undefined)?.onWritable();
  }

  onHeldChange(bytes: number): boolean {
    return this.unsent.change(bytes);
  }

  onSettings(): void {}

  /** A client that goes away finishes what it has begun; there is nothing to do for it. */
  onGoAway(_goAway: GoAway): void {}

  onPing(): void {
    const { http2, driver } = this;
    this.pings ??= new PingPolicy(this.options.keepaliveEnforcement);
    const isFine = this.pings.receive(driver.lastReadMs, http2.streamCount > 0, this.activity + http2.sentMark);
    if (!isFine) http2.close(TOO_MANY_PINGS);
  }

  onPingAck(): void {}

  onClosed({ cause }: Fault): void {
    this.stopTimers();
    const { closeError } = this.driver;
    const broken = closeError === undefined ? undefined : `the connection broke: ${breakReason("server", closeError)}`;
    const reason = LOST[cause] ?? broken ?? "the connection was lost";
    for (const stream of this.http2.streams()) (stream.context as ServerStream | undefined)?.onConnectionLost(reason);
  }

  onOutput(urgent: boolean): void {
    this.driver.outputPending(urgent);
  }

  private reject(stream: Http2Stream, code: StatusCode, message: string, httpStatus = 200): void {
    const isEncodingRefused = code === StatusCode.UNIMPLEMENTED && this.head.encoding !== undefined;
    const head = refusalHead(httpStatus, isEncodingRefused ? this.limits.compression.acceptEncoding : undefined);
    const status = createRpcError("library", code, message);
    this.http2.rejectRequest(stream, "request-rejected");
    this.sendEnd(stream, { status, head, headers: undefined, trailers: undefined });
    const { onRejected } = this.options;
    if (onRejected === undefined) return;
    const rejected = { path: this.head.path, code, peer: this.peer };
    callListener("onRejected", () => onRejected(rejected));
  }

  private sendEnd(stream: Http2Stream, end: EndOfCall): void {
    const { http2 } = this;
    const { isHeadFirst, fields } = fitStatus(end, http2.peerLists.bytes);
    if (fields === undefined) {
      http2.resetStream(stream, ErrorCode.INTERNAL_ERROR);
      return;
    }
    if (isHeadFirst) http2.sendHeaders(stream, ANSWER_HEAD, false);
    http2.sendHeaders(stream, fields, true);
    http2.resetWhenDone(stream);
  }

  private unknownEncoding(encoding: string): string {
    const { acceptEncoding } = this.limits.compression;
    return `grpc-encoding ${quote(encoding)} is not accepted; accepted are ${acceptEncoding}`;
  }

  countFault(cause: string): void {
    this.faults.count(cause);
  }

  private watchRequest(nowMs: number): void {
    this.requestStalls ??= new RequestStalls(this.http2, this.options.requestIdleTimeoutMs, (call) => {
      this.endStalled(call as ServerStream);
    });
    this.requestStalls.begin(nowMs);
  }

  private endStalled(call: ServerStream): void {
    this.countFault("request-stalled");
    const text = `the request did not arrive: next to nothing of it came in ${this.options.requestIdleTimeoutMs} ms`;
    call.onInboundFault(StatusCode.DEADLINE_EXCEEDED, text);
  }

  private stopTimers(): void {
    this.keepalive.stop();
    this.lifetime.stop();
    this.requestStalls?.stop();
  }
}

/** A listener of the application that fails, also one that is async, must not take the connection with it. */
export function callListener(name: string, call: () => unknown): void {
  const onFailed = (failure: unknown): void => {
    process.stderr.write(`volant: ${name} itself failed: ${printable(String(failure))}\n`);
  };
  try {
    const result = call();
    if (isThenable(result)) result.then(undefined, onFailed);
  } catch (failure) {
    onFailed(failure);
  }
}
