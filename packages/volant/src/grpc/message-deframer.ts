/**
 * Messages out of DATA bytes, whatever the chunks: the receiving half of message framing.
 *
 * Must not know: streams, windows, limits and compression; the sink judges length and flag.
 * Invariants: the sink sees the same calls for every way of cutting the same bytes; a prefix is offered before a byte of
 * its body is kept; memory held stays below `MIN_CAPACITY` plus twice the bytes that arrived, whatever length was declared
 * (CVE-2024-37168 shows what the alternative costs).
 * What it buys: a message that lies whole in one chunk is handed over where it lies; nothing is allocated or copied.
 * Spec: gRPC PROTOCOL-HTTP2 "Length-Prefixed-Message", "Data frames".
 */

import { PREFIX_BYTES } from "./message-prefix.ts";

/** What the deframer calls. Neither method may call the deframer, save `stop()`. */
export interface MessageSink {
  /**
   * A prefix is complete. `flag` is its first byte as it came, of which only 0 and 1 are legal. Returning false refuses the
   * message: the deframer stops.
   */
  onPrefix(length: number, flag: number): boolean;
  /**
   * A message is complete in `bytes[start, end)`. If `bytes` is the chunk just pushed, it is valid during the call only.
   * Any other was made for this message alone and is the sink's to keep.
   */
  onMessage(bytes: Buffer, start: number, end: number, flag: number): void;
}

/** What the first bytes of a message in pieces reserve at least. */
const MIN_CAPACITY = 1024;

export class MessageDeframer {
  readonly #sink: MessageSink;
  #stopped = false;
  /** How much of the current prefix has arrived; `PREFIX_BYTES` while a body is under way. */
  #prefixBytes = 0;
  #flag = 0;
  #length = 0;
  /** The part of the body that came in earlier chunks; its first `#bodyBytes` are filled. */
  #body: Buffer | undefined;
  #bodyBytes = 0;

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  /** At a message boundary (or stopped). False at END_STREAM means that the last message is truncated. */
  get isIdle(): boolean {
    return this.#prefixBytes === 0;
  }

  /** Bytes of an unfinished message, its prefix not counted. */
  get pendingBytes(): number {
    return this.#bodyBytes;
  }

  /** Memory reserved for an unfinished message. */
  get heldBytes(): number {
    return this.#body?.length ?? 0;
  }

  /** Takes the bytes `[start, end)` of `chunk`. Once stopped it ignores them. */
  push(chunk: Buffer, start: number, end: number): void {
    let at = this.#prefixBytes === 0 ? this.#readWhole(chunk, start, end) : start;
    while (at < end && !this.#stopped) {
      if (this.#prefixBytes < PREFIX_BYTES) {
        at = this.#readPrefix(chunk, at, end);
        if (this.#prefixBytes < PREFIX_BYTES) return;
        if (!this.#sink.onPrefix(this.#length, this.#flag)) this.stop();
        if (this.#stopped) return;
      }
      at = this.#readBody(chunk, at, end);
    }
  }

  /** Ends the work for good and lets go of what is held. Legal at any time, inside the sink's methods too. */
  stop(): void {
    this.reset();
    this.#stopped = true;
  }

  /** Forgets an unfinished message and a stop: the next byte is the first of a prefix. */
  reset(): void {
    this.#stopped = false;
    this.#startMessage();
  }

  #startMessage(): void {
    this.#prefixBytes = 0;
    this.#length = 0;
    this.#body = undefined;
    this.#bodyBytes = 0;
  }

  /** From a boundary on; the result is where the first message begins that is not whole in the chunk. */
  #readWhole(chunk: Buffer, start: number, end: number): number {
    const sink = this.#sink;
    let at = start;
    while (end - at >= PREFIX_BYTES && !this.#stopped) {
      const body = at + PREFIX_BYTES;
      // Not `<<` for the first octet: a length above 2^31 would turn negative.
      const length = chunk[at + 1]! * 0x100_0000 + ((chunk[at + 2]! << 16) | (chunk[at + 3]! << 8) | chunk[at + 4]!);
      if (end - body < length) return at;
      const flag = chunk[at]!;
      if (!sink.onPrefix(length, flag)) this.stop();
      if (this.#stopped) return end;
      at = body + length;
      sink.onMessage(chunk, body, at, flag);
    }
    return at;
  }

  #readPrefix(chunk: Buffer, start: number, end: number): number {
    let at = start;
    if (this.#prefixBytes === 0) {
      this.#flag = chunk[at++] as number;
      this.#prefixBytes = 1;
    }
    while (this.#prefixBytes < PREFIX_BYTES && at < end) {
      // Not `<<`: a length above 2^31 would turn negative.
      this.#length = this.#length * 256 + (chunk[at++] as number);
      this.#prefixBytes++;
    }
    return at;
  }

  #readBody(chunk: Buffer, start: number, end: number): number {
    const length = this.#length;
    const flag = this.#flag;
    const missing = length - this.#bodyBytes;
    if (end - start < missing) {
      if (start < end) this.#keep(chunk, start, end);
      return end;
    }
    const bodyEnd = start + missing;
    if (this.#bodyBytes === 0) {
      this.#startMessage();
      this.#sink.onMessage(chunk, start, bodyEnd, flag);
    } else {
      const body = this.#keep(chunk, start, bodyEnd);
      this.#startMessage();
      this.#sink.onMessage(body, 0, length, flag);
    }
    return bodyEnd;
  }

  #keep(chunk: Buffer, start: number, end: number): Buffer {
    const filled = this.#bodyBytes + (end - start);
    let body = this.#body;
    if (body === undefined || body.length < filled) {
      const grown = Buffer.allocUnsafe(Math.min(this.#length, Math.max(MIN_CAPACITY, filled * 2)));
      body?.copy(grown, 0, 0, this.#bodyBytes);
      this.#body = body = grown;
    }
    chunk.copy(body, this.#bodyBytes, start, end);
    this.#bodyBytes = filled;
    return body;
  }
}
