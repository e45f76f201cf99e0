/**
 * The receiving half of one gRPC stream, either role: DATA in, decoded messages out. Owns deframing, the size limits and
 * the credit of what is not yet a message; the credit of messages is returned by whoever takes them. gRPC PROTOCOL-HTTP2
 * "Length-Prefixed-Message", compression.md.
 *
 * A message that is not compressed and that somebody has room for is decoded where it lies; every other goes through
 * `late-messages.ts`.
 *
 * Invariants: a message whose prefix was accepted can arrive whole, whatever the windows hold otherwise, at once or, where
 * its peer has been promised much already, in steps; every octet received is consumed once, by the owner as part of a
 * message or here when the work stops; the memory of a message in pieces is acquired from the budget as it grows, and held
 * until the owner took the message, so that a slow handler counts too and a length that was only declared does not.
 */

import { MessageDeframer, type MessageSink } from "../grpc/message-deframer.ts";
import { IDENTITY, type MessageEncoding } from "../grpc/message-encoding.ts";
import { FLAG_COMPRESSED, FLAG_IDENTITY, PREFIX_BYTES } from "../grpc/message-prefix.ts";
import { quote } from "../grpc/printable.ts";
import { StatusCode } from "../grpc/status-code.ts";
import { textOfThrown } from "../rpc/foreign-values.ts";
import { DecodeLimitError, type MessageCodec } from "../rpc/method.ts";
import type { Http2Connection, Http2Stream } from "../transport/http2.ts";
import { bufferLimitText, messageLimitText, type PeerLimits } from "./inbound-limits.ts";
import { LateMessages, type LateMessagesHost, MESSAGE_OVERHEAD_BYTES } from "./late-messages.ts";

/** What a message may always be granted: as much as the window of a stream to begin with. */
const GRANT_STEP_BYTES = 65_536;

export interface InboundOwner {
  /** A decoded message that took `cost` octets of window; they are owed to {@link Inbound.taken}. */
  onMessage(message: unknown, cost: number): void;
  /** A limit did its work: `message-refused`, `reader-behind` (at most once). */
  countFault(cause: string): void;
  /** The stream cannot go on: the peer broke a rule or a limit. Nothing more is delivered. */
  onInboundFault(code: StatusCode, message: string): void;
  /** Follows an {@link Inbound.end} that was false: every message was handed over. */
  onInboundDrained(): void;
}

export class Inbound implements MessageSink, LateMessagesHost {
  /** Octets of messages handed over and not taken, and an overhead for each. */
  aheadBytes = 0;
  /** Of the messages that are flagged as compressed. */
  encoding: MessageEncoding | undefined = undefined;
  private readonly http2: Http2Connection;
  private readonly stream: Http2Stream;
  private readonly codec: MessageCodec<unknown, unknown>;
  private readonly limits: PeerLimits;
  private readonly owner: InboundOwner;
  private readonly deframer: MessageDeframer = new MessageDeframer(this);
  /** Length of the message that is under way. */
  private expected = 0;
  /** Octets acquired from the budget for it. */
  private acquired = 0;
  /** How far into it the window reaches; 0 while it is in no pieces. */
  private grantedEnd = 0;
  /** Of that, octets promised out of what is shared. */
  private promised = 0;
  /** Octets acquired for messages that the owner has not taken yet. */
  private untaken = 0;
  /** Octets received that are no part of a message handed over. */
  private pending = 0;
  private stopped = false;
  private isBehind = false;
  private encodingName: string = IDENTITY;
  /** Made for the first message that cannot be handed over when it arrives. */
  private late: LateMessages | undefined = undefined;

  constructor(
    http2: Http2Connection,
    stream: Http2Stream,
    codec: MessageCodec<unknown, unknown>,
    limits: PeerLimits,
    owner: InboundOwner,
  ) {
    this.http2 = http2;
    this.stream = stream;
    this.codec = codec;
    this.limits = limits;
    this.owner = owner;
  }

  /** `grpc-encoding` of the headers in front of the messages. */
  useEncoding(name: string): void {
    this.encodingName = name;
    this.encoding = this.limits.compression.accepted.get(name);
  }

  receive(bytes: Buffer, start: number, end: number): void {
    if (this.stopped) {
      this.http2.consume(this.stream, end - start);
      return;
    }
    this.pending += end - start;
    this.deframer.push(bytes, start, end);
    if (this.late !== undefined) this.late.keepChunk();
    if (this.expected > 0) this.expectRest();
  }

  /** At END_STREAM: false where it came inside a message. */
  get isAtBoundary(): boolean {
    return this.stopped || this.deframer.isIdle;
  }

  /** Inside a message whose prefix was accepted: its rest can arrive, whatever the windows hold. */
  get isInMessage(): boolean {
    return this.expected > 0;
  }

  /** Octets received that are no part of a message handed over. */
  get pendingBytes(): number {
    return this.pending;
  }

  /** END_STREAM came, at a boundary. True where every message was handed over; otherwise `onInboundDrained` follows. */
  end(): boolean {
    return this.stopped || this.late === undefined || this.late.holdEnd();
  }

  /** The owner used a message of this cost: the peer may send as much again. */
  taken(cost: number): void {
    if (this.untaken > 0) this.releaseTaken(cost);
    this.aheadBytes -= cost + MESSAGE_OVERHEAD_BYTES;
    this.http2.consume(this.stream, cost);
    if (this.late !== undefined) this.late.onTaken();
  }

  /** Memory of messages that wait as bytes. */
  get backlogBytes(): number {
    return this.late === undefined ? 0 : this.late.heldBytes;
  }

  /** Octets of the budget that this stream has. */
  get bufferedBytes(): number {
    return this.acquired + this.untaken + (this.late === undefined ? 0 : this.late.inflatedBytes);
  }

  /** Nothing more is wanted: what comes is consumed unread. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.expected = 0;
    this.settleGrant();
    const held = this.acquired + this.untaken;
    if (held > 0) this.limits.share.release(held);
    this.acquired = 0;
    this.untaken = 0;
    this.late?.stop();
    this.deframer.stop();
    const { pending } = this;
    this.pending = 0;
    if (pending > 0) this.http2.consume(this.stream, pending);
  }

  onPrefix(length: number, flag: number): boolean {
    if (flag > FLAG_COMPRESSED) return this.refuse(StatusCode.INTERNAL, `a message has the illegal flag ${flag}`);
    if (flag === FLAG_COMPRESSED && this.encoding === undefined) {
      return this.refuse(StatusCode.INTERNAL, this.noEncodingText());
    }
    const { maxMessageBytes } = this.limits;
    if (length > maxMessageBytes) {
      const text = `a message of ${length} bytes is larger than ${messageLimitText(this.limits, maxMessageBytes)}`;
      return this.refuse(StatusCode.RESOURCE_EXHAUSTED, text);
    }
    this.expected = length;
    return true;
  }

  onMessage(bytes: Buffer, start: number, end: number, flag: number): void {
    this.expected = 0;
    if (this.grantedEnd > 0 && !this.completePieces(end - start)) return;
    const { late } = this;
    const isFirst = late === undefined || late.isEmpty;
    if (isFirst && flag === FLAG_IDENTITY && this.aheadBytes < this.limits.aheadBytes) {
      this.handOver(bytes, start, end, end - start + PREFIX_BYTES);
      return;
    }
    if (flag === FLAG_IDENTITY && isFirst && !this.isBehind) {
      this.isBehind = true;
      this.owner.countFault("reader-behind");
    }
    this.late ??= new LateMessages(this, this.limits);
    this.late.add(bytes, start, end, flag);
  }

  // For the late messages

  handOver(bytes: Buffer, start: number, end: number, cost: number): void {
    let message: unknown;
    try {
      message = this.codec.decode(bytes, start, end);
    } catch (error) {
      this.refuseUndecodable(error, end - start);
      return;
    }
    // What decodes may be user code, which may have ended the call.
    if (this.stopped) return;
    this.pending -= cost;
    this.aheadBytes += cost + MESSAGE_OVERHEAD_BYTES;
    this.owner.onMessage(message, cost);
  }

  refuse(code: StatusCode, message: string): false {
    if (code === StatusCode.RESOURCE_EXHAUSTED) this.owner.countFault("message-refused");
    this.stop();
    this.owner.onInboundFault(code, message);
    return false;
  }

  private refuseUndecodable(error: unknown, length: number): void {
    if (error instanceof DecodeLimitError) {
      this.refuse(StatusCode.RESOURCE_EXHAUSTED, `a message of ${length} bytes: ${error.message}`);
    } else this.refuse(StatusCode.INTERNAL, `a message cannot be decoded: ${textOfThrown(error)}`);
  }

  onDrained(): void {
    this.owner.onInboundDrained();
  }

  /** A message is under way and its rest is not in this chunk. */
  private expectRest(): void {
    const { pendingBytes, heldBytes } = this.deframer;
    if (!this.acquireUpTo(heldBytes)) return;
    const rest = this.expected - pendingBytes;
    if (this.grantedEnd - pendingBytes < Math.min(rest, GRANT_STEP_BYTES / 2)) this.grantMore(pendingBytes, rest);
  }

  /** All of it, unless its peer has been promised its share: a peer that declares much and sends nothing gets steps. */
  private grantMore(arrived: number, rest: number): void {
    let granted = rest;
    if (rest > GRANT_STEP_BYTES) {
      if (this.limits.share.tryPromise(rest)) this.promised = rest;
      else granted = GRANT_STEP_BYTES;
    }
    this.grantedEnd = arrived + granted;
    this.http2.expect(this.stream, granted);
  }

  private settleGrant(): void {
    this.grantedEnd = 0;
    if (this.promised === 0) return;
    this.limits.share.settlePromise(this.promised);
    this.promised = 0;
  }

  /** False where the message that came in pieces was refused at its end. */
  private completePieces(length: number): boolean {
    this.settleGrant();
    if (!this.acquireUpTo(length)) return false;
    this.untaken += this.acquired;
    this.acquired = 0;
    return true;
  }

  /** Of the message under way. False where there is no room, and it was refused. */
  private acquireUpTo(bytes: number): boolean {
    const more = bytes - this.acquired;
    if (more > 0 && !this.limits.share.tryAcquire(more, this.bufferedBytes)) {
      return this.refuse(StatusCode.RESOURCE_EXHAUSTED, bufferLimitText(this.limits));
    }
    this.acquired = bytes;
    return true;
  }

  private releaseTaken(cost: number): void {
    const released = Math.min(cost, this.untaken);
    this.untaken -= released;
    this.limits.share.release(released);
  }

  /** gRPC compression.md: also a response in an encoding that the client has not is INTERNAL. */
  private noEncodingText(): string {
    if (this.encodingName === IDENTITY) {
      return "a message is flagged as compressed, but the call names no grpc-encoding";
    }
    const { acceptEncoding } = this.limits.compression;
    return `a message is compressed as ${quote(this.encodingName)}; accepted are ${acceptEncoding}`;
  }
}
