/**
 * What the core tells the layer above. One object a connection, always of the same class, so that the calls stay
 * monomorphic.
 *
 * Contract: octets handed over are valid only during the call; a field list belongs to the receiver. Every command of
 * the connection is legal inside these calls, except in `onOutput`, which may only schedule or take output.
 */
import type { ErrorCode } from "./error-code.ts";
import type { Fault, Initiator } from "./fault.ts";
import type { GoAway } from "./frames/goaway.ts";
import type { HeaderField } from "./hpack/index.ts";
import type { Http2Stream } from "./stream.ts";

export interface Http2Sink {
  /** Request headers of a new stream (server), or final response headers (client; 1xx are skipped). */
  onHeaders(stream: Http2Stream, fields: HeaderField[], endStream: boolean): void;
  /**
   * Server only: a request whose header list is larger than we take. `fields` are those in front of the limit, unchecked, if
   * any. The receiver owes an answer or a reset. Left out, the stream is reset with ENHANCE_YOUR_CALM.
   */
  onOversizedRequest?(stream: Http2Stream, fields: readonly HeaderField[]): void;
  /** The second header block of a stream; it always ends the peer's side. */
  onTrailers(stream: Http2Stream, fields: HeaderField[]): void;
  /** Payload of one DATA frame without padding. The receiver owes `consume(stream, end - start)`. */
  onData(stream: Http2Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void;
  /**
   * The stream is over before its time: the peer reset it, or broke a rule, `cause`, and we did. CANCEL by the library: it took
   * nothing of what waited for it.
   */
  onReset(stream: Http2Stream, code: ErrorCode, initiator: Initiator, cause?: string): void;
  /** A writer that was told to wait may go on. Never after our side has ended, nor once the stream is over. */
  onWritable(stream: Http2Stream): void;
  /**
   * DATA that waits for the peer takes so many bytes of memory more, or less where it is negative. The sum is zero once the
   * connection is over. True: so much waits already that writers shall wait with the first message that is queued. Left out
   * where nobody counts.
   */
  onHeldChange?(bytes: number): boolean;
  /** The peer's SETTINGS are in force; the first call means that the connection is ready. */
  onSettings(): void;
  /** The peer takes no stream above `lastStreamId`; such streams of ours have had `onReset(REFUSED_STREAM)`. */
  onGoAway(goAway: GoAway): void;
  /** The peer sent a PING, which is answered already. Left out where nobody judges how often. */
  onPing?(): void;
  /** The peer answered `sendPing(opaque)`. */
  onPingAck(opaque: number): void;
  /** The connection is over; streams that were open get no further call. Output may hold a last GOAWAY. */
  onClosed(fault: Fault): void;
  /** There is output to take, or another deadline to wait for; `urgent` when it should not wait for the end of the turn. */
  onOutput(urgent: boolean): void;
}
