/**
 * Frames in, one handler a type. Owns which frame may come when on the connection level and hands header blocks to
 * `receive-headers.ts`. RFC 9113 §5.1, §5.4, §6.
 *
 * Every handler answers whether reading may go on; a fault is queued and reported before it answers no.
 */
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
import { isVerdict, nextStreamState, StreamInput, StreamVerdict } from "./stream-state.ts";
import { ClosedHow } from "./stream-store.ts";

const INTERLEAVED = connectionFault(ErrorCode.PROTOCOL_ERROR, "frame-inside-header-block");
const NO_SETTINGS_FIRST = connectionFault(ErrorCode.PROTOCOL_ERROR, "first-frame-is-not-settings");
const IDLE_STREAM = connectionFault(ErrorCode.PROTOCOL_ERROR, "frame-on-idle-stream");
const AFTER_END = connectionFault(ErrorCode.STREAM_CLOSED, "frame-after-end-of-stream");
const CONNECTION_WINDOW_EXCEEDED = connectionFault(ErrorCode.FLOW_CONTROL_ERROR, "connection-window-exceeded");
const CONNECTION_WINDOW_OVERFLOW = connectionFault(ErrorCode.FLOW_CONTROL_ERROR, "connection-window-overflow");
const STREAM_WINDOW_EXCEEDED = streamFault(ErrorCode.FLOW_CONTROL_ERROR, "stream-window-exceeded");
const STREAM_WINDOW_OVERFLOW = streamFault(ErrorCode.FLOW_CONTROL_ERROR, "stream-window-overflow");
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

  constructor(parts: ConnectionParts, owners: ReceiveOwners) {
    this.parts = parts;
    this.sender = owners.sender;
    this.settings = owners.settings;
    this.headers = owners.headers;
    this.drain = owners.drain;
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
        // RFC 9113 §5.5: frames of unknown type are ignored, but counted.
        this.parts.budget.count("unknown-frame");
        return true;
    }
  }

  private onData(bytes: Buffer, start: number, length: number, flags: number, streamId: number): boolean {
    const { parts } = this;
    const fault = checkData(streamId);
    if (fault !== undefined) return this.fail(fault);
    const padding = readPadding(bytes, start, length, flags);
    if (padding < 0) return this.fail(DATA_PADDING_TOO_LONG);
    // RFC 9113 §6.9.1: the connection window counts every DATA frame, whatever becomes of its stream.
    if (!parts.receiveWindow.receive(length)) return this.fail(CONNECTION_WINDOW_EXCEEDED);
    const stream = parts.streams.get(streamId);
    if (stream === undefined) {
      parts.creditConnection(length, 0);
      return this.onLateFrame(streamId);
    }
    const endStream = (flags & FrameFlag.END_STREAM) !== 0;
    const next = nextStreamState(stream.state, endStream ? StreamInput.RECEIVE_DATA_END : StreamInput.RECEIVE_DATA);
    if (isVerdict(next)) return this.failVerdict(next);
    if (!stream.receiveWindow.receive(length)) {
      parts.creditConnection(length, 0);
      return this.failStream(stream, STREAM_WINDOW_EXCEEDED);
    }
    const from = (flags & FrameFlag.PADDED) !== 0 ? start + 1 : start;
    const end = start + length - padding;
    if (end - from < length) this.consume(stream, length - (end - from));
    if (!this.checkContentLength(stream, end - from, endStream)) return this.failStream(stream, CONTENT_LENGTH_MISMATCH);
    stream.state = next;
    parts.sink.onData(stream, bytes, from, end, endStream);
    if (stream.isClosed) parts.closeStream(stream, ClosedHow.ENDED);
    return !parts.isClosed;
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
    const settled = stream.receiveWindow.settleGrant(bytes);
    const increment = stream.receiveWindow.consume(bytes - settled);
    if (increment > 0 && !stream.isRemoteDone) this.parts.writeWindowUpdate(stream.id, increment);
    this.parts.creditConnection(bytes, settled);
  }

  private onWindowUpdate(bytes: Buffer, start: number, length: number, streamId: number): boolean {
    const { parts } = this;
    const fault = checkWindowUpdate(bytes, start, length, streamId);
    if (fault !== undefined && (fault.scope === "connection" || streamId === 0)) return this.fail(fault);
    const increment = readWindowUpdate(bytes, start);
    if (streamId === 0) {
      if (!parts.sendWindow.adjust(increment)) return this.fail(CONNECTION_WINDOW_OVERFLOW);
      this.sender.pump();
      return true;
    }
    const stream = parts.streams.get(streamId);
    if (stream === undefined) return parts.streams.isIdle(streamId) ? this.fail(IDLE_STREAM) : true;
    if (fault !== undefined) return this.failStream(stream, fault);
    const next = nextStreamState(stream.state, StreamInput.RECEIVE_WINDOW_UPDATE);
    if (next === StreamVerdict.PROTOCOL_ERROR) return this.fail(IDLE_STREAM);
    if (!stream.sendWindow.adjust(increment)) return this.failStream(stream, STREAM_WINDOW_OVERFLOW);
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
    parts.budget.count("reset-by-peer");
    parts.closeStream(stream, ClosedHow.RESET_BY_PEER);
    parts.sink.onReset(stream, readRstStream(bytes, start), "remote");
    return !parts.isClosed;
  }

  private onPing(bytes: Buffer, start: number, length: number, flags: number, streamId: number): boolean {
    const { parts } = this;
    const fault = checkPing(length, streamId);
    if (fault !== undefined) return this.fail(fault);
    if ((flags & FrameFlag.ACK) !== 0) {
      const opaque = readPingAck(bytes, start);
      if (opaque >= 0 && !this.drain.onPingAck(opaque)) parts.sink.onPingAck(opaque);
      return !parts.isClosed;
    }
    parts.output.ensure(PING_BYTES);
    parts.output.length = writePingAck(parts.output.bytes, parts.output.length, bytes, start);
    parts.budget.provokeFrame();
    parts.outputWritten();
    return true;
  }

  private onGoAway(bytes: Buffer, start: number, length: number, streamId: number): boolean {
    const { parts } = this;
    const fault = checkGoAway(length, streamId);
    if (fault !== undefined) return this.fail(fault);
    const goAway = readGoAway(bytes, start, length);
    // RFC 9113 §6.8: streams above the last id were not processed and may be tried elsewhere.
    for (const stream of [...parts.streams.values()]) {
      if (!parts.streams.isLocalId(stream.id) || stream.id <= goAway.lastStreamId) continue;
      parts.closeStream(stream, ClosedHow.RESET_BY_PEER);
      parts.sink.onReset(stream, ErrorCode.REFUSED_STREAM, "remote");
      if (parts.isClosed) return false;
    }
    parts.sink.onGoAway(goAway);
    return !parts.isClosed;
  }

  private onPriority(bytes: Buffer, start: number, length: number, streamId: number): boolean {
    const fault = checkPriority(bytes, start, length, streamId);
    this.parts.budget.count("priority");
    if (fault === undefined) return true;
    const stream = this.parts.streams.get(streamId);
    // A stream error on a stream that does not exist has nobody to reset: RFC 9113 §5.4.2 lets us end the connection.
    return fault.scope === "connection" || stream === undefined ? this.fail(fault) : this.failStream(stream, fault);
  }

  /** DATA on a stream that is not there any more. */
  private onLateFrame(streamId: number): boolean {
    const { streams } = this.parts;
    if (streams.isIdle(streamId)) return this.fail(IDLE_STREAM);
    const how = streams.howClosed(streamId);
    // RFC 9113 §5.1: after our own reset frames may still be under way; after the peer's own end they may not.
    return how === ClosedHow.ENDED || how === ClosedHow.RESET_BY_PEER ? this.fail(AFTER_END) : true;
  }

  private failVerdict(verdict: number): boolean {
    return this.fail(verdict === StreamVerdict.STREAM_CLOSED ? AFTER_END : IDLE_STREAM);
  }

  /** RFC 9113 §5.4.2: RST_STREAM, and the layer above hears of it. */
  failStream(stream: Http2Stream, fault: Fault): boolean {
    const { parts } = this;
    // An illegal frame after the peer's END_STREAM is no way to make us send resets without end (CVE-2025-8671).
    if (stream.isRemoteDone) return this.fail(fault);
    parts.budget.countFault(fault);
    parts.budget.provokeFrame();
    this.sender.reset(stream, fault.code);
    parts.sink.onReset(stream, fault.code, "library");
    return !parts.isClosed;
  }

  private fail(fault: Fault): boolean {
    this.parts.fail(fault);
    return false;
  }
}
