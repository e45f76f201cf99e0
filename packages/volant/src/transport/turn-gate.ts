/**
 * Stands between what reads a connection and what handles it, and lets bytes through when it is the connection's turn. Owns
 * what has arrived and waits, in order: bytes, then the end, then the close. `turn-scheduler.ts` says whose turn it is.
 *
 * What waits is bounded: reading stops with the second chunk that does, and with the first where more is to come at once.
 * A cleartext socket then delivers nothing more, TLS the rest of what it has decrypted, 64 KiB at most. One chunk alone is
 * most likely handled before the socket could be read again, and to stop and start it costs more than a short call.
 *
 * Of all connections too: where much waits, reads are small. Those always wait, so that nobody has more turns by opening more
 * connections; a large one that was read before that goes through once the most is reached.
 */

import { ParkedBytes } from "./parked-bytes.ts";
import { FIRST_READ_BYTES, ReadPace } from "./read-pace.ts";
import { monotonicMs } from "./time.ts";
import { type ConnectionTurns, DEFAULT_SLICE_MS, type TurnScheduler, type TurnTaker } from "./turn-scheduler.ts";
import { threadTurns } from "./turns.ts";
import type { WireSink } from "./wire.ts";

/** With that much waiting on all connections of the thread, no more than {@link FIRST_READ_BYTES} are read at once. */
const MUCH_WAITING_BYTES = 32 * 1024 * 1024;
/** With that much, what is larger goes through as it comes. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** What reads the connection. */
export interface GatedReader {
  stopReading(): void;
  startReading(): void;
}

export class TurnGate implements TurnTaker {
  readonly pace: ReadPace = new ReadPace();
  private readonly sink: WireSink;
  private readonly reader: GatedReader;
  private readonly turns: TurnScheduler;
  private readonly place: ConnectionTurns;
  private readonly parked = new ParkedBytes();
  /** Nothing ever waits for a turn. */
  private readonly isOpen: boolean;
  private pieceBytes = 0;
  private handledBytes = 0;
  private isInside = false;
  /** The sink takes nothing for now. */
  private isHeld = false;
  private isReadingStopped = false;
  private hasEnd = false;
  private close: { readonly error: Error | undefined } | undefined = undefined;
  private isOver = false;

  /** `peerKey`: see {@link networkOfPeer}. */
  constructor(sink: WireSink, peerKey: string, reader: GatedReader, turns: TurnScheduler = threadTurns) {
    this.sink = sink;
    this.reader = reader;
    this.turns = turns;
    const { role, turnSliceMs = DEFAULT_SLICE_MS } = sink;
    this.isOpen = turnSliceMs === Number.POSITIVE_INFINITY;
    this.place = turns.join(role === "client" ? `to ${peerKey}` : peerKey, this, turnSliceMs);
  }

  /** See {@link Wire.inputMark}. */
  get inputMark(): number {
    return this.handledBytes + this.parked.length;
  }

  /** What waits for the sink to take something again is nothing that comes by itself. */
  isHandled(inputMark: number): boolean {
    return this.parked.length === 0 || this.isHeld || this.handledBytes >= inputMark;
  }

  /** `bytes` are the caller's again when it returns. */
  onBytes(bytes: Buffer): void {
    if (this.isOver) return;
    // The connection's own code may make it deliver more.
    const isFree = !this.isInside && this.turns.begin(this.place, monotonicMs());
    if (this.isInside || this.isHeld || this.parked.length > 0) this.park(bytes);
    else if (this.isOpen) this.handle(bytes);
    else if (isFree) this.deliver(bytes);
    else if (bytes.length > FIRST_READ_BYTES && ParkedBytes.totalMemory >= MAX_WAITING_BYTES) this.handle(bytes);
    else {
      this.sink.onTurnWaited?.();
      this.park(bytes);
    }
  }

  /** What had arrived before there was a gate, in front of everything else. It comes in a turn of its own. */
  onEarlyBytes(bytes: Buffer): void {
    this.park(bytes);
  }

  onEnd(): void {
    this.hasEnd = true;
    this.settle();
  }

  /** What had arrived before is handled first, unless nobody wants it. */
  onClosed(error: Error | undefined): void {
    this.close = { error };
    // A client that broke its connection takes no answer: what it asked for is not begun any more, and its turns are for others.
    if (this.isHeld || (error !== undefined && this.sink.role === "server")) this.drop();
    this.settle();
  }

  /** The sink takes nothing until {@link release}. Where the wire has closed already, nobody wants the rest. */
  hold(): void {
    this.isHeld = true;
    this.turns.stopWaiting(this.place);
    if (this.close !== undefined) this.drop();
  }

  release(): void {
    this.isHeld = false;
    this.settle();
  }

  /** The connection was destroyed from our side. */
  drop(): void {
    this.parked.clear();
    this.hasEnd = false;
  }

  takeTurn(): void {
    try {
      if (this.parked.length > 0) this.parked.take(this.pace.bytes, this.handle);
    } finally {
      this.settle();
    }
  }

  onCharged(ms: number): void {
    if (this.pieceBytes > 0) this.pace.onPiece(this.pieceBytes, ms);
    this.pieceBytes = 0;
    this.spareMemory();
  }

  private spareMemory(): void {
    if (ParkedBytes.totalMemory >= MUCH_WAITING_BYTES) this.pace.shrink();
  }

  private deliver(bytes: Buffer): void {
    const { bytes: most } = this.pace;
    if (bytes.length <= most) {
      this.handle(bytes);
      if (this.hasEnd || this.parked.length > 0) this.settle();
      return;
    }
    this.handle(bytes.subarray(0, most));
    this.park(bytes.subarray(most));
  }

  private readonly handle = (piece: Buffer): void => {
    this.isInside = true;
    this.pieceBytes = piece.length;
    try {
      this.sink.onChunk(piece);
    } finally {
      this.isInside = false;
      this.handledBytes += piece.length;
      this.turns.end(this.place, monotonicMs());
    }
  };

  private park(bytes: Buffer): void {
    if (this.isOver) return;
    const isMoreToCome = this.parked.length > 0 || bytes.length >= this.pace.bytes;
    this.parked.add(bytes);
    this.spareMemory();
    if (isMoreToCome && !this.isReadingStopped) {
      this.isReadingStopped = true;
      this.reader.stopReading();
    }
    this.settle();
  }

  /** What is to come next: a turn for what waits, the end or the close, or more to read. */
  private settle(): void {
    if (this.isInside || this.isOver) return;
    if (this.parked.length > 0) {
      if (!this.isHeld) this.turns.wait(this.place);
      return;
    }
    if (this.hasEnd && !this.isHeld) {
      this.hasEnd = false;
      this.sink.onEnd();
    }
    if (this.close !== undefined) this.finish(this.close.error);
    else if (this.isReadingStopped && !this.isHeld) {
      this.isReadingStopped = false;
      this.reader.startReading();
    }
  }

  private finish(error: Error | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    this.turns.leave(this.place);
    this.sink.onClosed(error);
  }
}
