/**
 * A client's and a server's core joined by a link with a delay and a rate, on virtual time: what a long way between two
 * hosts does to flow control, without a clock. Owns the link and the driver contract of `http2/connection.ts` on both ends.
 *
 * Each direction has a send buffer like a kernel's, from which octets leave at the rate of the link, and a delay that they
 * are under way. Nothing is lost and nothing overtakes.
 */
import type { Http2Options } from "../../src/http2/options.ts";
import { PairSide } from "../../src/testing/connection-pair.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";

export interface LinkOptions {
  /** One way. */
  readonly delayMs: number;
  readonly bitsPerSecond: number;
  readonly client?: Http2Options;
  readonly server?: Http2Options;
}

/** What one write may leave waiting in front of the link before the next has to wait. */
const SEND_BUFFER_BYTES = 262_144;
/** Octets arrive in pieces like these. */
const SEGMENT_BYTES = 16_384;

interface Direction {
  readonly from: PairSide;
  readonly to: PairSide;
  /** Octets in the send buffer. */
  waiting: number;
  /** When the link is done with them. */
  freeAtMs: number;
}

export class VirtualLink {
  readonly clock = new FakeClock();
  readonly client: PairSide;
  readonly server: PairSide;
  readonly bytesPerMs: number;
  private readonly delayMs: number;
  private readonly directions: readonly Direction[];

  constructor({ delayMs, bitsPerSecond, client = {}, server = {} }: LinkOptions) {
    this.delayMs = delayMs;
    this.bytesPerMs = bitsPerSecond / 8_000;
    this.client = new PairSide("client", client);
    this.server = new PairSide("server", server);
    this.directions = [
      { from: this.client, to: this.server, waiting: 0, freeAtMs: 0 },
      { from: this.server, to: this.client, waiting: 0, freeAtMs: 0 },
    ];
    this.client.http2.start(0);
    this.server.http2.start(0);
  }

  /** Lets that much time go by. */
  run(ms: number): void {
    const until = this.clock.nowMs + ms;
    this.flush();
    while (this.clock.nextDueMs <= until) {
      this.clock.runNext();
      this.flush();
    }
    this.clock.advance(until - this.clock.nowMs);
  }

  private flush(): void {
    for (const direction of this.directions) {
      while (direction.waiting < SEND_BUFFER_BYTES) {
        const octets = direction.from.take();
        if (octets === undefined) break;
        this.send(direction, octets);
      }
    }
  }

  private send(direction: Direction, octets: Buffer): void {
    const { clock, bytesPerMs } = this;
    direction.freeAtMs = Math.max(direction.freeAtMs, clock.nowMs);
    direction.waiting += octets.length;
    for (let at = 0; at < octets.length; at += SEGMENT_BYTES) {
      const segment = octets.subarray(at, at + SEGMENT_BYTES);
      direction.freeAtMs += segment.length / bytesPerMs;
      clock.schedule(direction.freeAtMs, () => {
        direction.waiting -= segment.length;
      });
      clock.schedule(direction.freeAtMs + this.delayMs, () => direction.to.http2.receive(segment, clock.nowMs));
    }
  }
}
