// Owns: a TCP proxy that makes a long way out of the loopback: each direction has a rate that it never exceeds and a delay.
// `delayed-link.ts PORT DELAY_MS BITS_PER_SECOND` proxies to PORT of this host and prints `listening PORT`.
// Invariant: a direction holds at most its rate times its delay and a queue of one buffer; beyond that the sender waits, as
// it would for a router.

import { connect, createServer, type Socket } from "node:net";
import { parseArgs } from "node:util";

/** What may wait in front of the link, as in a router. */
const QUEUE_BYTES = 1_048_576;
/** Octets leave in pieces, or a chunk of the kernel's would arrive as one. */
const PIECE_BYTES = 16_384;
/** Delivered pieces are forgotten in batches of this. */
const PIECES_KEPT = 256;

interface Piece {
  readonly bytes: Buffer;
  readonly arrivesMs: number;
}

class Direction {
  private readonly from: Socket;
  private readonly to: Socket;
  private readonly delayMs: number;
  private readonly bytesPerMs: number;
  private readonly maxBytes: number;
  private pieces: Piece[] = [];
  private head = 0;
  private heldBytes = 0;
  /** When the link is done with what it was given. */
  private freeAtMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private ended = false;

  constructor(from: Socket, to: Socket, delayMs: number, bytesPerMs: number) {
    this.from = from;
    this.to = to;
    this.delayMs = delayMs;
    this.bytesPerMs = bytesPerMs;
    this.maxBytes = QUEUE_BYTES + delayMs * bytesPerMs;
    from.on("data", (chunk: Buffer) => this.take(chunk));
    from.once("end", () => {
      this.ended = true;
      this.deliver();
    });
    from.once("close", () => this.stop());
    from.once("error", () => to.destroy());
  }

  private take(chunk: Buffer): void {
    this.freeAtMs = Math.max(this.freeAtMs, performance.now());
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      const bytes = chunk.subarray(at, at + PIECE_BYTES);
      this.freeAtMs += bytes.length / this.bytesPerMs;
      this.pieces.push({ bytes, arrivesMs: this.freeAtMs + this.delayMs });
    }
    this.heldBytes += chunk.length;
    if (this.heldBytes > this.maxBytes) this.from.pause();
    this.arm();
  }

  private deliver(): void {
    this.timer = undefined;
    const nowMs = performance.now();
    for (; this.head < this.pieces.length && this.pieces[this.head]!.arrivesMs <= nowMs; this.head++) {
      const { bytes } = this.pieces[this.head]!;
      this.heldBytes -= bytes.length;
      this.to.write(bytes);
    }
    if (this.head > PIECES_KEPT) {
      this.pieces = this.pieces.slice(this.head);
      this.head = 0;
    }
    if (this.heldBytes <= this.maxBytes) this.from.resume();
    if (this.head < this.pieces.length) this.arm();
    else if (this.ended) this.to.end();
  }

  private arm(): void {
    const next = this.pieces[this.head];
    if (next !== undefined)
      this.timer ??= setTimeout(() => this.deliver(), Math.max(0, next.arrivesMs - performance.now()));
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.to.destroy();
  }
}

const { positionals } = parseArgs({ allowPositionals: true });
const [port, delayMs, bitsPerSecond] = positionals.map(Number);
if (port === undefined || delayMs === undefined || !(bitsPerSecond! > 0)) {
  throw new Error("usage: delayed-link.ts PORT DELAY_MS BITS_PER_SECOND");
}
const bytesPerMs = bitsPerSecond! / 8_000;

const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
  const far = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  new Direction(near, far, delayMs, bytesPerMs);
  new Direction(far, near, delayMs, bytesPerMs);
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) console.log(`listening ${address.port}`);
});
process.once("SIGTERM", () => process.exit());
