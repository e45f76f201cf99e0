/**
 * A pair of wires in memory, for tests and in-process calls. What one side writes the other receives in the next turn,
 * in order, so that nothing is ever delivered inside a command. Owns the queue between them, which is bounded like a
 * kernel's: above its capacity a write waits for the reader.
 */
import { networkOfPeer } from "./peer-network.ts";
import { ProcessHold } from "./process-hold.ts";
import { setImmediate } from "./time.ts";
import { type GatedReader, TurnGate } from "./turn-gate.ts";
import type { Peer, Wire, WireSink } from "./wire.ts";

const MEMORY_PEER: Peer = { address: "memory" };
/** What may lie between the sides before a writer has to wait, by default. */
const CAPACITY_BYTES = 65_536;
/** Most that is read at once, as from a socket. */
const READ_BYTES = 65_536;

export class MemoryWire implements Wire, GatedReader {
  /** Who the other side is. */
  readonly peer: Peer;
  receivedBytes = 0;
  private readonly gate: TurnGate;
  /** Of the inbox. */
  private readonly capacityBytes: number;
  private other: MemoryWire | undefined;
  private inbox: Buffer[] = [];
  private inboxBytes = 0;
  /** Set while our last write waits for the other side to read. */
  private onWritten: (() => void) | undefined;
  private ended = false;
  private endReceived = false;
  private endDelivered = false;
  private paused = false;
  private isWaitingForTurn = false;
  private closed = false;
  private scheduled = false;
  private readonly hold = new ProcessHold();

  constructor(sink: WireSink, capacityBytes: number = CAPACITY_BYTES, peer: Peer = MEMORY_PEER) {
    this.peer = peer;
    this.gate = new TurnGate(sink, networkOfPeer(peer.address), this);
    this.capacityBytes = capacityBytes;
  }

  static join(a: MemoryWire, b: MemoryWire): void {
    a.other = b;
    b.other = a;
  }

  write(bytes: Buffer, onWritten: () => void): boolean {
    const { other } = this;
    if (this.ended || other === undefined || other.closed) return true;
    if (this.onWritten !== undefined) throw new Error("a write is under way, and its octets are still in use");
    const copy = Buffer.from(bytes);
    for (let at = 0; at < copy.length; at += READ_BYTES) other.inbox.push(copy.subarray(at, at + READ_BYTES));
    other.inboxBytes += bytes.length;
    other.schedule();
    if (other.inboxBytes <= other.capacityBytes) return true;
    this.onWritten = onWritten;
    return false;
  }

  get unsentBytes(): number {
    const { other } = this;
    return other === undefined ? 0 : Math.max(0, other.inboxBytes - other.capacityBytes);
  }

  get inputMark(): number {
    return this.gate.inputMark;
  }

  isHandled(inputMark: number): boolean {
    return this.gate.isHandled(inputMark);
  }

  pause(): void {
    this.paused = true;
    this.gate.hold();
  }

  resume(): void {
    this.paused = false;
    this.gate.release();
    this.schedule();
  }

  stopReading(): void {
    this.isWaitingForTurn = true;
  }

  startReading(): void {
    this.isWaitingForTurn = false;
    this.schedule();
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.other?.receiveEnd();
    if (this.endDelivered) this.close();
  }

  destroy(): void {
    this.gate.drop();
    this.ended = true;
    this.other?.receiveEnd();
    this.close();
  }

  ref(): void {
    this.hold.set(!this.closed);
  }

  unref(): void {
    this.hold.set(false);
  }

  private receiveEnd(): void {
    this.endReceived = true;
    this.schedule();
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    this.unref();
    this.inbox = [];
    setImmediate(() => {
      this.other?.wrote();
      this.wrote();
      this.gate.onClosed(undefined);
    });
  }

  /** The write that waited is over. */
  private wrote(): void {
    const { onWritten } = this;
    this.onWritten = undefined;
    onWritten?.();
  }

  private schedule(): void {
    if (this.scheduled || this.closed) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.deliver();
    });
  }

  private deliver(): void {
    // What arrives meanwhile waits for the next turn.
    for (let left = this.inbox.length; left > 0 && this.mayDeliver; left--) {
      const chunk = this.inbox.shift()!;
      this.inboxBytes -= chunk.length;
      this.receivedBytes += chunk.length;
      if (this.inbox.length > 0) this.schedule();
      this.gate.onBytes(chunk);
      // As a socket's buffer is read into again: who still refers to it finds out.
      chunk.fill(0xdb);
      if (this.inboxBytes <= this.capacityBytes) this.other?.wrote();
    }
    if (!this.mayDeliver || this.inbox.length > 0 || !this.endReceived || this.endDelivered) return;
    this.endDelivered = true;
    this.gate.onEnd();
    if (this.ended) this.close();
    else this.end();
  }

  private get mayDeliver(): boolean {
    return !this.paused && !this.isWaitingForTurn && !this.closed;
  }
}
