/**
 * The layer above a core under fuzz: it answers, waits, consumes late, resets, and sometimes does what it must not. Owns
 * what it owes and the order of the sink's calls it relies on; throws where the core breaks that order.
 *
 * Everything it does follows from its random source and the calls it gets, so any chunking of the same octets leads it
 * the same way.
 */
import assert from "node:assert/strict";
import type { Http2Connection, Http2Sink, Http2Stream } from "../../packages/volant/src/http2/index.ts";
import type { OutboundBlock } from "../../packages/volant/src/http2/stream.ts";
import { StreamInput, StreamState } from "../../packages/volant/src/http2/stream-state.ts";
import type { Core } from "./core.ts";
import type { Random } from "./random-source.ts";
import type { TransitionMap } from "./transitions.ts";

const REQUEST: OutboundBlock = [
  { name: ":method", value: "POST", indexing: 0 },
  { name: ":scheme", value: "http", indexing: 0 },
  { name: ":path", value: "/s/m", indexing: 1 },
];
const RESPONSE: OutboundBlock = [{ name: ":status", value: "200", indexing: 0 }];
const TRAILERS: OutboundBlock = [{ name: "grpc-status", value: "0", indexing: 0 }];
const TRAILERS_OCTETS = Buffer.of(0x88);
const SIZES = [0, 1, 5, 300, 3_000, 20_000, 70_000];
/** The largest single write, for whoever bounds the queue. */
export const LARGEST_WRITE = Math.max(...SIZES);

export class Application {
  readonly http2: Http2Connection;
  /** Every stream it ever had, in order. */
  readonly streams: Http2Stream[] = [];
  /** Octets handed to it and not consumed. */
  readonly owed = new Map<Http2Stream, number>();
  isClosed = false;
  private readonly core: Core;
  private readonly role: "client" | "server";
  private readonly random: Random;
  private readonly map: TransitionMap;
  /** What the peer has sent on a stream, as far as the sink told. */
  private readonly heard = new Map<Http2Stream, "open" | "ended" | "over">();
  private readonly begun = new Set<Http2Stream>();

  constructor(core: Core, role: "client" | "server", http2: Http2Connection, random: Random, map: TransitionMap) {
    this.core = core;
    this.role = role;
    this.http2 = http2;
    this.random = random;
    this.map = map;
  }

  /** What it does when it is called. */
  get sink(): Partial<Http2Sink> {
    return {
      onHeaders: (stream, _fields, endStream) => {
        this.hears(stream, undefined, endStream);
        if (this.role === "server") {
          this.streams.push(stream);
          if (this.random.oneIn(3)) this.http2.holdSlot(stream);
        }
        if (!this.random.oneIn(3)) this.act(stream);
      },
      onData: (stream, _bytes, start, end, endStream) => {
        this.hears(stream, "open", endStream);
        this.owed.set(stream, this.owedOf(stream) + end - start);
        if (this.random.oneIn(2)) this.consume(stream);
        if (this.random.oneIn(3)) this.act(stream);
      },
      onTrailers: (stream) => {
        this.hears(stream, "open", true);
        if (this.random.oneIn(2)) this.act(stream);
      },
      onReset: (stream) => {
        assert.ok(!this.isClosed, "a reset is reported after the connection is over");
        assert.notEqual(this.heard.get(stream), "over", `stream ${stream.id} is over twice`);
        assert.ok(stream.isClosed, `stream ${stream.id} is reported as reset and still open`);
        this.leave(stream);
      },
      onWritable: (stream) => {
        assert.ok(!this.isClosed && !stream.isLocalDone, `stream ${stream.id} may not write any more`);
        if (this.random.oneIn(2)) this.act(stream);
      },
      onSettings: () => assert.ok(!this.isClosed, "SETTINGS are reported after the connection is over"),
      onGoAway: () => assert.ok(!this.isClosed, "GOAWAY is reported after the connection is over"),
      onClosed: () => {
        assert.ok(!this.isClosed, "the connection is over twice");
        this.isClosed = true;
      },
    };
  }

  owedOf(stream: Http2Stream): number {
    return this.owed.get(stream) ?? 0;
  }

  /** One random act, on that stream or any it ever had. */
  act(on: Http2Stream | undefined = undefined): void {
    const { random, http2 } = this;
    const stream = on ?? (this.streams.length > 0 ? random.pick(this.streams) : undefined);
    if (stream === undefined) return;
    switch (random.below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        this.sendHeaders(stream, this.role === "client" ? REQUEST : RESPONSE, random.oneIn(5));
        return;
      case 4:
      case 5:
      case 6:
        this.sendData(stream, random.pick(SIZES), random.oneIn(4));
        return;
      case 7:
        this.sendTrailers(stream);
        return;
      case 8:
        this.reserve(stream);
        return;
      case 9:
        this.reset(stream);
        return;
      case 10:
        this.attempt(() => http2.resetWhenDone(stream));
        return;
      case 11:
      case 12:
        this.consume(stream);
        return;
      case 13:
        if (!stream.isClosed) this.attempt(() => http2.expect(stream, random.pick([1, 5_000, 100_000])));
        return;
      case 14:
        http2.sendPing(random.below(3));
        return;
      default:
        http2.releaseSlot(stream);
        return;
    }
  }

  open(): void {
    if (!this.http2.canOpenStream) return;
    const stream = this.http2.openStream();
    this.streams.push(stream);
    if (!this.random.oneIn(20)) this.sendHeaders(stream, REQUEST, this.random.oneIn(4));
    if (this.random.oneIn(2)) this.act(stream);
  }

  /** Gives back everything it was handed. */
  consumeAll(): void {
    for (const stream of this.streams) {
      this.http2.consume(stream, stream.isClosed ? 0 : this.owedOf(stream));
      this.owed.delete(stream);
    }
  }

  reset(stream: Http2Stream): void {
    this.map.sends(stream.state, StreamInput.SEND_RST);
    const isUnheard = stream.isClosed;
    this.http2.resetStream(stream, 8);
    if (!isUnheard && !this.isClosed) this.leave(stream);
  }

  private consume(stream: Http2Stream): void {
    if (stream.isClosed) return;
    const bytes = this.random.oneIn(2) ? this.owedOf(stream) : this.random.below(this.owedOf(stream) + 1);
    this.owed.set(stream, this.owedOf(stream) - bytes);
    this.http2.consume(stream, bytes);
  }

  private sendHeaders(stream: Http2Stream, block: OutboundBlock, ends: boolean): void {
    // A second header block is trailers; without an end it would be a fault of ours that the core does not look for.
    const mustEnd = this.begun.has(stream) && !stream.isLocalDone;
    const input = ends || mustEnd ? StreamInput.SEND_HEADERS_END : StreamInput.SEND_HEADERS;
    const isMisuse = this.map.sends(stream.state, input) && stream.outbound === undefined;
    const isEnd = input === StreamInput.SEND_HEADERS_END;
    this.attempt(
      () => this.http2.sendHeaders(stream, isEnd && this.begun.has(stream) ? TRAILERS : block, isEnd),
      isMisuse,
    );
    if (stream.state !== StreamState.IDLE) this.begun.add(stream);
  }

  private sendData(stream: Http2Stream, bytes: number, ends: boolean): void {
    // Told to wait, it waits: what is queued has a bound.
    if (stream.writerWaits) return;
    // A response begins with headers; the core leaves that to whoever is above it.
    if (stream.state !== StreamState.IDLE && !stream.isClosed && !this.begun.has(stream)) return;
    const isMisuse =
      this.map.sends(stream.state, ends ? StreamInput.SEND_DATA_END : StreamInput.SEND_DATA) &&
      stream.outbound === undefined;
    this.attempt(() => this.http2.sendData(stream, Buffer.alloc(bytes), ends), isMisuse);
  }

  private sendTrailers(stream: Http2Stream): void {
    if (!this.begun.has(stream)) return;
    this.attempt(() => this.http2.sendTrailers(stream, this.random.oneIn(2) ? TRAILERS : TRAILERS_OCTETS));
  }

  private reserve(stream: Http2Stream): void {
    const { http2, random } = this;
    if (!this.begun.has(stream)) return;
    const bytes = random.pick([0, 5, 3_000]);
    const at = http2.reserve(stream, undefined, bytes);
    if (at < 0) return;
    http2.outputBytes.fill(0, at, at + bytes);
    // User code may run while the message is encoded.
    if (random.oneIn(4)) this.act();
    if (random.oneIn(4)) {
      http2.rollback();
      return;
    }
    this.attempt(() =>
      http2.commit(Math.min(bytes, http2.reservedLimit), random.oneIn(3) ? TRAILERS_OCTETS : undefined),
    );
  }

  /** Misuse must be told, and nothing else may be thrown. */
  private attempt(command: () => unknown, isMisuse: boolean = false): void {
    const isExpected = isMisuse && !this.isClosed;
    try {
      command();
    } catch (error) {
      if (error instanceof this.core.usage.UsageError) return;
      throw error;
    }
    assert.ok(!isExpected, "the stream machine calls it misuse, and the command was taken");
  }

  private hears(stream: Http2Stream, expected: "open" | undefined, endStream: boolean): void {
    assert.ok(!this.isClosed, "something is reported after the connection is over");
    assert.equal(this.heard.get(stream), expected, `stream ${stream.id}: the calls are out of order`);
    this.heard.set(stream, endStream ? "ended" : "open");
  }

  private leave(stream: Http2Stream): void {
    this.heard.set(stream, "over");
    this.owed.delete(stream);
  }
}
