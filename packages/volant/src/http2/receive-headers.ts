/**
 * Header blocks in: from HEADERS and CONTINUATION to a checked field list for the layer above. Owns the assembly, the
 * decoding, and which stream a block opens, continues or ends. RFC 9113 §5.1.1, §5.1.2, §6.2, §8.1.
 *
 * Invariant: every block is decoded, also one whose stream is refused or gone, because HPACK state is the connection's.
 */
import type { ConnectionParts } from "./connection-parts.ts";
import { ErrorCode } from "./error-code.ts";
import { connectionFault, type Fault, streamFault } from "./fault.ts";
import { FrameFlag } from "./frame-type.ts";
import { checkHeaders, HEADERS_PADDING_TOO_LONG, headersPrefixBytes } from "./frames/headers.ts";
import { readPadding } from "./frames/padding.ts";
import { COMPRESSION, HeaderBlock } from "./header-block.ts";
import {
  checkRequestFields,
  checkResponseFields,
  checkTrailerFields,
  isInformational,
  MALFORMED,
} from "./header-rules.ts";
import { DecodeResult, type HeaderField } from "./hpack/index.ts";
import type { Http2Stream } from "./stream.ts";
import { isVerdict, nextStreamState, StreamInput, StreamState } from "./stream-state.ts";
import { ClosedHow } from "./stream-store.ts";

const WRONG_PARITY = connectionFault(ErrorCode.PROTOCOL_ERROR, "stream-id-of-the-other-side");
const ID_NOT_INCREASING = connectionFault(ErrorCode.PROTOCOL_ERROR, "stream-id-not-increasing");
const IDLE_STREAM = connectionFault(ErrorCode.PROTOCOL_ERROR, "headers-on-idle-stream");
const AFTER_END = connectionFault(ErrorCode.STREAM_CLOSED, "headers-after-end-of-stream");
const MALFORMED_HEADERS = streamFault(ErrorCode.PROTOCOL_ERROR, "malformed-headers");
const LIST_TOO_LARGE = streamFault(ErrorCode.ENHANCE_YOUR_CALM, "header-list-too-large");
const INTERIM_TOO_LARGE = streamFault(ErrorCode.ENHANCE_YOUR_CALM, "interim-responses-too-large");
const TRAILERS_WITHOUT_END = streamFault(ErrorCode.PROTOCOL_ERROR, "trailers-without-end-stream");

export class ReceiveHeaders {
  private readonly parts: ConnectionParts;
  private readonly block: HeaderBlock;
  /** A fault of the HEADERS frame itself that only ends its stream; acted on after decoding. */
  private pendingFault: Fault | undefined;

  constructor(parts: ConnectionParts) {
    this.parts = parts;
    this.block = new HeaderBlock(parts.decoder, parts.options);
  }

  get isBlockOpen(): boolean {
    return this.block.isOpen;
  }

  get blockStreamId(): number {
    return this.block.streamId;
  }

  onHeadersFrame(bytes: Buffer, start: number, length: number, flags: number, streamId: number): boolean {
    const fault = checkHeaders(bytes, start, length, flags, streamId);
    if (fault !== undefined && fault.scope === "connection") return this.fail(fault);
    const padding = readPadding(bytes, start, length, flags);
    const from = start + headersPrefixBytes(flags);
    const end = start + length - padding;
    if (padding < 0 || end < from) return this.fail(HEADERS_PADDING_TOO_LONG);
    this.pendingFault = fault;
    const endStream = (flags & FrameFlag.END_STREAM) !== 0;
    if ((flags & FrameFlag.END_HEADERS) !== 0) return this.onBlock(streamId, endStream, bytes, from, end);
    // CVE-2019-9518: a fragment of nothing.
    if (from === end && !this.parts.charge("empty-header-fragment")) return false;
    this.parts.frames.beginBlock(this.parts.nowMs);
    return this.checkBlock(this.block.begin(streamId, endStream, bytes, from, end));
  }

  onContinuation(bytes: Buffer, start: number, length: number, flags: number): boolean {
    if (!this.checkBlock(this.block.continue(bytes, start, start + length))) return false;
    if ((flags & FrameFlag.END_HEADERS) === 0) return length > 0 || this.parts.charge("empty-header-fragment");
    const { streamId, endStream } = this.block;
    this.parts.frames.endBlock();
    if (this.block.isOversized) return this.onOversizedBlock(streamId, endStream);
    const whole = this.block.take();
    return this.onBlock(streamId, endStream, whole, 0, whole.length);
  }

  /** Each frame of a block that is only passed over costs a glitch: as long as it goes on, nobody is served. */
  private checkBlock(fault: Fault | undefined): boolean {
    if (fault !== undefined) return this.fail(fault);
    return !this.block.isOversized || this.parts.charge("oversized-header-block");
  }

  private onBlock(streamId: number, endStream: boolean, bytes: Buffer, start: number, end: number): boolean {
    const fields: HeaderField[] = [];
    const result = this.parts.decoder.decode(bytes, start, end, fields);
    if (result === DecodeResult.COMPRESSION_ERROR) return this.fail(COMPRESSION);
    return this.onList(streamId, fields, endStream, result !== DecodeResult.OK);
  }

  private onOversizedBlock(streamId: number, endStream: boolean): boolean {
    const fault = this.block.drop();
    return fault === undefined ? this.onList(streamId, [], endStream, true) : this.fail(fault);
  }

  private onList(streamId: number, fields: HeaderField[], endStream: boolean, tooLarge: boolean): boolean {
    const stream = this.parts.streams.get(streamId);
    if (stream !== undefined) return this.onKnownStream(stream, fields, endStream, tooLarge);
    if (this.parts.role === "server" && (streamId & 1) === 1 && streamId > this.parts.streams.lastRemoteId) {
      return this.onNewStream(streamId, fields, endStream, tooLarge);
    }
    return this.onStrayBlock(streamId);
  }

  private onNewStream(streamId: number, fields: HeaderField[], endStream: boolean, tooLarge: boolean): boolean {
    const { parts } = this;
    // RFC 9113 §6.8: streams above the last id of our GOAWAY are ignored; the peer tries them elsewhere.
    if (streamId > parts.acceptUpTo) {
      parts.streams.lastRemoteId = streamId;
      return parts.charge("late-headers");
    }
    // RFC 9113 §5.1.2: beyond the limit REFUSED_STREAM says that nothing was done.
    const refusal = this.reasonToRefuse();
    if (refusal !== undefined) return parts.refuse(streamId, ErrorCode.REFUSED_STREAM, refusal);
    if (tooLarge && this.pendingFault === undefined) return this.onOversizedRequest(streamId, fields, endStream);
    let length = checkRequestFields(fields);
    // RFC 9113 §8.1.1: a request that ends here has no content to match a length.
    if (endStream && length > 0) length = MALFORMED;
    const fault = this.pendingFault ?? (length === MALFORMED ? MALFORMED_HEADERS : undefined);
    if (fault !== undefined) return parts.refuse(streamId, fault.code, fault.cause);
    const stream = this.openStream(streamId, endStream);
    stream.contentLengthLeft = length;
    parts.budget.streamOpened();
    parts.sink.onHeaders(stream, fields, endStream);
    return !parts.isClosed;
  }

  private openStream(streamId: number, endStream: boolean): Http2Stream {
    const { streams, remote, streamWindowBytes } = this.parts;
    const stream = streams.openRemoteStream(streamId, remote.initialWindowBytes, streamWindowBytes);
    const input = endStream ? StreamInput.RECEIVE_HEADERS_END : StreamInput.RECEIVE_HEADERS;
    stream.state = nextStreamState(stream.state, input);
    stream.headersReceived = true;
    return stream;
  }

  /** RFC 9113 §10.5.1: whoever is above us may answer it in its own words; otherwise the stream is reset. */
  private onOversizedRequest(streamId: number, fields: HeaderField[], endStream: boolean): boolean {
    const { parts } = this;
    const { code, cause } = LIST_TOO_LARGE;
    if (parts.sink.onOversizedRequest === undefined) return parts.refuse(streamId, code, cause);
    const stream = this.openStream(streamId, endStream);
    parts.budget.provokeFrame();
    parts.sink.onOversizedRequest(stream, fields);
    return !parts.isClosed && parts.charge(cause);
  }

  /** Why no further stream is taken now. CVE-2023-44487: a reset ends a stream, but not the work that it began. */
  private reasonToRefuse(): string | undefined {
    const { streams, slots, options, budget, nowMs } = this.parts;
    if (streams.openRemote >= options.maxConcurrentStreams) return "too-many-streams";
    if (streams.openRemote + slots.size >= options.maxConcurrentStreams) return "handlers-busy";
    return budget.mayOpenStream(nowMs) ? undefined : "reset-budget-spent";
  }

  private onKnownStream(stream: Http2Stream, fields: HeaderField[], endStream: boolean, tooLarge: boolean): boolean {
    const { parts } = this;
    const input = endStream ? StreamInput.RECEIVE_HEADERS_END : StreamInput.RECEIVE_HEADERS;
    const next = nextStreamState(stream.state, input);
    if (isVerdict(next)) return this.fail(AFTER_END);
    // RFC 9113 §5.1: a stream of ours that we have not begun cannot be answered.
    if (stream.state === StreamState.IDLE) return this.fail(IDLE_STREAM);
    if (tooLarge) return parts.failStream(stream, LIST_TOO_LARGE);
    if (this.pendingFault !== undefined) return parts.failStream(stream, this.pendingFault);
    if (stream.headersReceived) return this.onTrailers(stream, fields, endStream, next);
    const length = checkResponseFields(fields);
    if (length === MALFORMED) return parts.failStream(stream, MALFORMED_HEADERS);
    if (isInformational(fields)) return this.onInterimResponse(stream, fields, endStream);
    if (endStream && length > 0) return parts.failStream(stream, MALFORMED_HEADERS);
    stream.state = next;
    stream.headersReceived = true;
    stream.contentLengthLeft = length;
    parts.sink.onHeaders(stream, fields, endStream);
    if (stream.isClosed) parts.closeStream(stream, ClosedHow.ENDED);
    return !parts.isClosed;
  }

  /** RFC 9113 §8.1: skipped. It never ends the stream, and all of them together are no larger than one list may be. */
  private onInterimResponse(stream: Http2Stream, fields: HeaderField[], endStream: boolean): boolean {
    const { parts } = this;
    if (!parts.charge("informational-response")) return false;
    if (endStream) return parts.failStream(stream, MALFORMED_HEADERS);
    for (const field of fields) stream.interimBytes += field.size;
    return stream.interimBytes <= parts.options.maxHeaderListBytes || parts.failStream(stream, INTERIM_TOO_LARGE);
  }

  private onTrailers(stream: Http2Stream, fields: HeaderField[], endStream: boolean, next: number): boolean {
    const { parts } = this;
    // RFC 9113 §8.1: a second header block is trailers and ends the stream.
    if (!endStream) return parts.failStream(stream, TRAILERS_WITHOUT_END);
    if (!checkTrailerFields(fields) || stream.contentLengthLeft > 0) return parts.failStream(stream, MALFORMED_HEADERS);
    stream.state = next;
    parts.sink.onTrailers(stream, fields);
    if (stream.isClosed) parts.closeStream(stream, ClosedHow.ENDED);
    return !parts.isClosed;
  }

  /** A block on an id that has no stream and may open none. */
  private onStrayBlock(streamId: number): boolean {
    const { streams, role } = this.parts;
    if (role === "server" && (streamId & 1) === 0) return this.fail(WRONG_PARITY);
    if (role === "client" && !streams.isLocalId(streamId)) return this.fail(WRONG_PARITY);
    if (streams.isIdle(streamId)) return this.fail(IDLE_STREAM);
    // RFC 9113 §6.8: trailers of a stream that our GOAWAY left out.
    if (role === "server" && streamId > this.parts.acceptUpTo) return this.parts.charge("late-headers");
    const how = streams.howClosed(streamId);
    if (how === ClosedHow.ENDED || how === ClosedHow.RESET_BY_PEER) return this.fail(AFTER_END);
    // RFC 9113 §5.1.1: ids only grow; a smaller one that was skipped is closed for good.
    if (role === "server" && how === ClosedHow.UNKNOWN) return this.fail(ID_NOT_INCREASING);
    return this.parts.charge("late-headers");
  }

  private fail(fault: Fault): boolean {
    this.parts.fail(fault);
    return false;
  }
}
