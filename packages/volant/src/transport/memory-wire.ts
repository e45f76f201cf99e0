/**
 * A pair of wires in memory, for tests and in-process calls. What one side writes the other receives in the next turn,
 * in order, so that nothing is ever delivered inside a command. Owns the queue between them.
 */
import type { Peer, Wire, WireSink } from "./wire.ts";

const MEMORY_PEER: Peer = { address: "memory" };

export class MemoryWire implements Wire {
  readonly peer: Peer = MEMORY_PEER;
  private readonly sink: WireSink;
  private other: MemoryWire | undefined;
  private readonly inbox: Buffer[] = [];
  private endReceived = false;
  private endDelivered = false;
  private paused = false;
  private closed = false;
  private scheduled = false;

  constructor(sink: WireSink) {
    this.sink = sink;
  }

  static join(a: MemoryWire, b: MemoryWire): void {
    a.other = b;
    b.other = a;
  }

  write(bytes: Buffer, _onWritten: () => void): boolean {
    if (this.closed || this.other === undefined) return true;
    this.other.inbox.push(Buffer.from(bytes));
    this.other.schedule();
    return true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.schedule();
  }

  end(): void {
    if (this.closed) return;
    this.endOther();
    this.close();
  }

  destroy(): void {
    this.end();
  }

  ref(): void {}

  unref(): void {}

  private endOther(): void {
    if (this.other === undefined || this.other.endReceived) return;
    this.other.endReceived = true;
    this.other.schedule();
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    setImmediate(() => this.sink.onClosed(undefined));
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
    while (!this.paused && !this.closed && this.inbox.length > 0) this.sink.onChunk(this.inbox.shift()!);
    if (this.paused || this.closed || !this.endReceived || this.endDelivered) return;
    this.endDelivered = true;
    this.sink.onEnd();
    this.end();
  }
}
