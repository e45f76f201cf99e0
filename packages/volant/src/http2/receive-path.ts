/**
 * Frames in, one handler a type. Owns which frame may come when on the connection level and hands header blocks to
 * `receive-headers.ts`. RFC 9113 §5.1, §5.4, §6.
 *
 * Every handler answers whether reading may go on; a fault is queued and reported before it answers no.
 */
import { SHRED_BYTES, TINY_DATA_BYTES, TINY_FRAMES_A_SHRED } from "./abuse-policy.ts";
import type { ConnectionParts } from "./connection-parts.ts";
import type { Drain } from "./drain.ts";
import { ErrorCode } from "./error-code.ts";
import { connectionFault, type Fault, streamFault } from "./fault.ts";
import { FrameFlag, FrameType } from "./frame-type.ts";
import { CONTINUATION_WITHOUT_HEADERS } from "./frames/continuation.ts";
import { checkData, DATA_PADDING_TOO_LONG } from "./frames/data.ts";
import { checkGoAway, readGoAway } from "./frames/goaway.ts";
import { readPadding } from "./frames/padding.ts";
import { checkPing, PING_BYTES, readPingAck, writePingAck } from "./frames/ping.ts";
import { checkPriority } from "./frames/priority.ts";
import { PUSH_PROMISE_RECEIVED } from "./frames/push-promise.ts";
import { checkRstStream, readRstStream } from "./frames/rst-stream.ts";
import { checkWindowUpdate, readWindowUpdate } from "./frames/window-update.ts";
import type { ReceiveHeaders } from "./receive-headers.ts";
import type { SendPath } from "./send-path.ts";
import type { SettingsSync } from "./settings-sync.ts";
import type { Http2Stream } from "./stream.ts";
import { isVerdict, nextStreamState, StreamInput, StreamState, StreamVerdict } from "./stream-state.ts";
import { ClosedHow } from "./stream-store.ts";
import { UsageError } from "./usage-error.ts";
import { WindowGrowth } from "./window-growth.ts";

const INTERLEAVED = connectionFault(ErrorCode.PROTOCOL_ERROR, "frame-inside-header-block");
const NO_SETTINGS_FIRST = connectionFault(ErrorCode.PROTOCOL_ERROR, "first-frame-is-not-settings");
const IDLE_STREAM = connectionFault(ErrorCode.PROTOCOL_ERROR, "frame-on-idle-stream");
const AFTER_END = connectionFault(ErrorCode.STREAM_CLOSED, "frame-after-end-of-stream");
const CONNECTION_WINDOW_EXCEEDED = connectionFault(ErrorCode.FLOW_CONTROL_ERROR, "connection-window-exceeded");
const CONNECTION_WINDOW_OVERFLOW = connectionFault(ErrorCode.FLOW_CONTROL_ERROR, "connection-window-overflow");
const STREAM_WINDOW_EXCEEDED = streamFault(ErrorCode.FLOW_CONTROL_ERROR, "stream-window-exceeded");
const STREAM_WINDOW_OVERFLOW = streamFault(ErrorCode.FLOW_CONTROL_ERROR, "stream-window-overflow");
const DATA_BEFORE_HEADERS = streamFault(ErrorCode.PROTOCOL_ERROR, "data-before-headers");
const CONTENT_LENGTH_MISMATCH = streamFault(ErrorCode.PROTOCOL_ERROR, "content-length-mismatch");

/** Whom frames are handed to besides the sink. */
export interface ReceiveOwners {
  readonly sender: SendPath;
  readonly settings: SettingsSync;
  readonly headers: ReceiveHeaders;
  readonly drain: Drain;
}

export class ReceivePath {
  private readonly parts: ConnectionParts;
  private readonly sender: SendPath;
  private readonly settings: SettingsSync;
  private readonly headers: ReceiveHeaders;
  private readonly drain: Drain;
  private readonly growth: WindowGrowth;

  constructor(parts: ConnectionParts, owners: ReceiveOwners) {
    this.parts = parts;
    this.sender = owners.sender;
    this.settings = owners.settings;
    this.headers = owners.headers;
    this.drain = owners.drain;
    this.growth = new WindowGrowth(parts, owners.settings);
  }

  onFrame(bytes: Buffer, start: number, length: number, type: number, flags: number, streamId: number): boolean {
    // RFC 9113 §6.10: inside a header block only CONTINUATION of the same stream may come.
    if (this.headers.isBlockOpen && (type !== FrameType.CONTINUATION || streamId !== this.headers.blockStreamId)) {
      return this.fail(INTERLEAVED);
    }
    // RFC 9113 §3.4: the first frame of either side is SETTINGS.
    if (!this.settings.remoteReceived && (type !== FrameType.SETTINGS || (flags & FrameFlag.ACK) !== 0)) {
      return this.fail(NO_SETTINGS_FIRST);
    }
    switch (type) {
      case FrameType.DATA:
        return this.onData(bytes, start, length, flags, streamId);
      case FrameType.HEADERS:
        return this.headers.onHeadersFrame(bytes, start, length, flags, streamId);
      case FrameType.CONTINUATION:
        if (!this.headers.isBlockOpen) return this.fail(CONTINUATION_WITHOUT_HEADERS);
        return this.headers.onContinuation(bytes, start, length, flags);
      case FrameType.WINDOW_UPDATE:
        return this.onWindowUpdate(bytes, start, length, streamId);
      case FrameType.RST_STREAM:
        return this.onRstStream(bytes, start, length, streamId);
      case FrameType.SETTINGS:
        return this.settings.onFrame(bytes, start, length, flags, streamId);
      case FrameType.PING:
        return this.onPing(bytes, start, length, flags, streamId);
      case FrameType.GOAWAY:
        return this.onGoAway(bytes, start, length, streamId);
      case FrameType.PRIORITY:
        return this.onPriority(bytes, start, length, streamId);
      case FrameType.PUSH_PROMISE:
        return this.fail(PUSH_PROMISE_RECEIVED);
      default:
        // RFC 9113 §5.5: frames of unknown type are ignored.
        return this.parts.charge("unknown-frame");
    }
  }

  private onData(bytes: Buffer, start: number, length: number, flags: number, streamId: number): boolean {
    const { parts } = this;
    const fault = checkData(length, flags, streamId);
    if (fault !== undefined) return this.fail(fault);
    const padding = readPadding(bytes, start, length, flags);
    if (padding < 0) return this.fail(DATA_PADDING_TOO_LONG);
    // RFC 9113 §6.9.1: the connection window counts every DATA frame, whatever becomes of its stream.
    if (!parts.receiveWindow.receive(length)) return this.fail(CONNECTION_WINDOW_EXCEEDED);
    const stream = parts.streams.get(streamId);
    if (stream === undefined) {
      parts.creditConnection(length);
      return this.onLateData(streamId);
    }
    const endStream = (flags & FrameFlag.END_STREAM) !== 0;
    const next = nextStreamState(stream.state, endStream ? StreamInput.RECEIVE_DATA_END : StreamInput.RECEIVE_DATA);
    if (isVerdict(next)) return this.failVerdict(next);
    if (!stream.receiveWindow.receive(length)) {
      parts.creditConnection(length);
      return parts.failStream(stream, STREAM_WINDOW_EXCEEDED);
    }
    // RFC 9113 §8.1: a response begins with its header block. What the stream holds is credited as it closes.
    if (!stream.headersReceived) return parts.failStream(stream, DATA_BEFORE_HEADERS);
    this.growth.onData(stream, length);
    const from = (flags & FrameFlag.PADDED) !== 0 ? start + 1 : start;
    const end = start + length - padding;
    if (end - from < length) this.creditPadding(stream, length - (end - from));
    if (!this.checkContentLength(stream, end - from, endStream))
      return parts.failStream(stream, CONTENT_LENGTH_MISMATCH);
    if (end - from < TINY_DATA_BYTES && !endStream) {
      // CVE-2019-9518: octets of padding at most; nobody above needs to hear of it.
      if (end === from) return parts.charge("empty-data");
      if (!this.holdTiny(stream, end - from)) return false;
    }
    stream.state = next;
    parts.sink.onData(stream, bytes, from, end, endStream);
    if (stream.isClosed) parts.closeStream(stream, ClosedHow.ENDED);
    return !parts.isClosed;
  }

  /** RFC 9113 §6.1: padding counts in both windows. Nobody waits for it, so both get it back. */
  private creditPadding(stream: Http2Stream, bytes: number): void {
    const increment = stream.receiveWindow.consumePadding(bytes);
    if (increment > 0 && !stream.isRemoteDone) this.announce(stream, increment);
    const connectionIncrement = this.parts.receiveWindow.consumePadding(bytes);
    if (connectionIncrement > 0) this.parts.writeWindowUpdate(0, connectionIncrement);
    // A peer that pads every frame alike cannot send the last octets through a window that is just as large as they are.
    const { isLow, open } = stream.receiveWindow;
    if (isLow && stream.connectionGrant > 0) this.expect(stream, open + bytes);
  }

  /** A frame that our own small window cut short is not the peer's doing. */
  private holdTiny(stream: Http2Stream, bytes: number): boolean {
    if (stream.receiveWindow.open <= 0) return true;
    const frames = bytes < SHRED_BYTES ? TINY_FRAMES_A_SHRED : 1;
    stream.tinyHeld += frames;
    return this.parts.budget.holdTiny(frames, this.parts.receiveWindow.size) || this.parts.charge("tiny-data");
  }

  /** RFC 9113 §8.1.1: content-length, where given, equals the octets of DATA. */
  private checkContentLength(stream: Http2Stream, count: number, endStream: boolean): boolean {
    if (stream.contentLengthLeft < 0) return true;
    stream.contentLengthLeft -= count;
    return stream.contentLengthLeft >= 0 && (!endStream || stream.contentLengthLeft === 0);
  }

  /** Octets of a stream were used: both windows get them back in time. */
  consume(stream: Http2Stream, bytes: number): void {
    if (bytes === 0 || stream.isClosed) return;
    if (!(bytes > 0 && bytes <= stream.receiveWindow.held)) throw overconsumed(stream, bytes);
    if (stream.tinyHeld > 0) this.releaseTiny(stream, bytes);
    const settled = stream.receiveWindow.settleGrant(bytes);
    const increment = stream.receiveWindow.consume(bytes - settled);
    if (increment > 0 && !stream.isRemoteDone) this.announce(stream, increment);
    this.parts.creditConsumed(stream, bytes);
  }

  /** The reader of this stream keeps up: its window takes the size that the link has earned. */
  private announce(stream: Http2Stream, increment: number): void {
    const { receiveWindow } = stream;
    const { streamWindowBytes } = this.growth;
    const more = receiveWindow.size < streamWindowBytes ? receiveWindow.grow(streamWindowBytes) : 0;
    this.parts.writeWindowUpdate(stream.id, increment + more);
  }

  /** In proportion: which frames the octets came in is not known any more. */
  private releaseTiny(stream: Http2Stream, bytes: number): void {
    this.parts.releaseTiny(stream, Math.floor((stream.tinyHeld * bytes) / stream.receiveWindow.held));
  }

  /**
   * The peer may send `bytes` more on this stream at once. What the stream holds counts as granted on the connection too:
   * it may be the start of the same message, and octets that wait for more octets must never use up the window that
   * these would come through.
   */
  expect(stream: Http2Stream, bytes: number): void {
    const { parts } = this;
    if (!(bytes > 0) || stream.isRemoteDone) return;
    const { receiveWindow } = stream;
    const missing = receiveWindow.missing(bytes);
    if (missing > 0) receiveWindow.grant(missing);
    const streamIncrement = receiveWindow.open < bytes ? receiveWindow.announce(bytes) : 0;
    if (streamIncrement > 0) parts.writeWindowUpdate(stream.id, streamIncrement);
    const owed = receiveWindow.held + bytes - stream.connectionGrant;
    if (owed > 0) {
      stream.connectionGrant += owed;
      parts.receiveWindow.grant(owed);
    }
    const increment = parts.receiveWindow.announce(bytes);
    if (increment > 0) parts.writeWindowUpdate(0, increment);
  }

  private onWindowUpdate(bytes: Buffer, start: number, length: number, streamId: number): boolean {
    const { parts } = this;
    const fault = checkWindowUpdate(bytes, start, length, streamId);
    if (fault !== undefined && (fault.scope === "connection" || streamId === 0)) return this.fail(fault);
    if (!parts.budget.isWindowUpdateEarned() && !parts.charge("window-update")) return false;
    const increment = readWindowUpdate(bytes, start);
    if (streamId === 0) {
      if (!parts.sendWindow.adjust(increment)) return this.fail(CONNECTION_WINDOW_OVERFLOW);
      this.sender.pump();
      return true;
    }
    const stream = parts.streams.get(streamId);
    if (stream === undefined) return parts.streams.isIdle(streamId) ? this.fail(IDLE_STREAM) : true;
    const next = nextStreamState(stream.state, StreamInput.RECEIVE_WINDOW_UPDATE);
    if (next === StreamVerdict.PROTOCOL_ERROR) return this.fail(IDLE_STREAM);
    if (fault !== undefined) return parts.failStream(stream, fault);
    if (!stream.sendWindow.adjust(increment)) return parts.failStream(stream, STREAM_WINDOW_OVERFLOW);
    this.sender.windowOpened(stream);
    this.sender.pump();
    return true;
  }

  private onRstStream(bytes: Buffer, start: number, length: number, streamId: number): boolean {
    const { parts } = this;
    const fault = checkRstStream(length, streamId);
    if (fault !== undefined) return this.fail(fault);
    const stream = parts.streams.get(streamId);
    // RFC 9113 §6.4: on an idle stream it is a connection error; on a closed one it is late.
    if (stream === undefined) return parts.streams.isIdle(streamId) ? this.fail(IDLE_STREAM) : true;
    if (isVerdict(nextStreamState(stream.state, StreamInput.RECEIVE_RST))) return this.fail(IDLE_STREAM);
    // RFC 9113 §8.1: once we have answered, a reset wastes nothing.
    const isWaste = parts.role === "server" && !stream.isLocalDone;
    parts.closeStream(stream, ClosedHow.RESET_BY_PEER);
    parts.sink.onReset(stream, readRstStream(bytes, start), "remote");
    if (!isWaste) parts.budget.count("reset-by-peer");
    return !parts.isClosed && (!isWaste || parts.charge("reset-by-peer"));
  }

  private onPing(bytes: Buffer, start: number, length: number, flags: number, streamId: number): boolean {
    const { parts } = this;
    const fault = checkPing(length, streamId);
    if (fault !== undefined) return this.fail(fault);
    if ((flags & FrameFlag.ACK) !== 0) {
      const opaque = readPingAck(bytes, start);
      if (opaque >= 0 && !this.drain.onPingAck(opaque) && !this.growth.onPingAck(opaque)) parts.sink.onPingAck(opaque);
      return !parts.isClosed;
    }
    parts.output.ensure(PING_BYTES);
    parts.output.length = writePingAck(parts.output.bytes, parts.output.length, bytes, start);
    if (!parts.answerProvoked("ping")) return false;
    parts.sink.onPing?.();
    return !parts.isClosed;
  }

  private onGoAway(bytes: Buffer, start: number, length: number, streamId: number): boolean {
    const { parts } = this;
    const fault = checkGoAway(length, streamId);
    if (fault !== undefined) return this.fail(fault);
    // Each looks at every stream.
    if (parts.goAwayReceived && !parts.charge("goaway")) return false;
    const goAway = readGoAway(bytes, start, length);
    parts.goAwayReceived = true;
    // RFC 9113 §6.8: streams above the last id were not processed and may be tried elsewhere; an idle one may not start.
    for (const stream of parts.streams.values()) {
      if (stream.isClosed || !parts.streams.isLocalId(stream.id)) continue;
      if (stream.id <= goAway.lastStreamId && stream.state !== StreamState.IDLE) continue;
      parts.closeStream(stream, ClosedHow.RESET_BY_PEER);
      parts.sink.onReset(stream, ErrorCode.REFUSED_STREAM, "remote");
      if (parts.isClosed) return false;
    }
    parts.sink.onGoAway(goAway);
    return !parts.isClosed;
  }

  private onPriority(bytes: Buffer, start: number, length: number, streamId: number): boolean {
    const { parts } = this;
    const fault = checkPriority(bytes, start, length, streamId);
    if (!parts.budget.isPriorityEarned() && !parts.charge("priority")) return false;
    if (fault === undefined) return true;
    const stream = parts.streams.get(streamId);
    // A stream error on a stream that does not exist has nobody to reset: RFC 9113 §5.4.2 lets us end the connection.
    return fault.scope === "connection" || stream === undefined || stream.state === StreamState.IDLE
      ? this.fail(fault)
      : parts.failStream(stream, fault);
  }

  /** DATA on a stream that is not there any more. */
  private onLateData(streamId: number): boolean {
    const { streams, acceptUpTo } = this.parts;
    if (streams.isIdle(streamId)) return this.fail(IDLE_STREAM);
    // RFC 9113 §6.8: a stream that our GOAWAY left out; its sender has not read that yet.
    if (!streams.isLocalId(streamId) && streamId > acceptUpTo) return true;
    const how = streams.howClosed(streamId);
    // RFC 9113 §5.1: after our own reset frames may still be under way; after the peer's own end they may not.
    return how === ClosedHow.ENDED || how === ClosedHow.RESET_BY_PEER ? this.fail(AFTER_END) : true;
  }

  private failVerdict(verdict: number): boolean {
    return this.fail(verdict === StreamVerdict.STREAM_CLOSED ? AFTER_END : IDLE_STREAM);
  }

  private fail(fault: Fault): boolean {
    this.parts.fail(fault);
    return false;
  }
}

function overconsumed(stream: Http2Stream, bytes: number): UsageError {
  const { held } = stream.receiveWindow;
  return new UsageError(
    `stream ${stream.id}: ${bytes} octets consumed, but only ${held} were received and not yet consumed`,
  );
}
