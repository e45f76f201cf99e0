/**
 * What an attack is here: a peer that wants something in excess, how much of it we let it have, and the honest peer that
 * comes closest to it. Owns the victim, a core behind a driver that does as the core says; knows no attack.
 *
 * A proof must be able to fail: with `isOn` false the defence is off, and the same attack must get more than allowed.
 */
import type { Http2Options, Role } from "../../src/http2/options.ts";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

export type OptionName = keyof Http2Options;

export interface Attack {
  readonly name: string;
  readonly cve: string;
  /** What the core does about it, in one line. */
  readonly rule: string;
  /** The options that set the limit. */
  readonly options: readonly OptionName[];
  /** Its key in `faultCounts`. */
  readonly counter: string;
  /** What the attacker wants: "handlers running at once". */
  readonly unit: string;
  /** How much of that it may get. */
  readonly allowed: number;
  /** Values that switch the defence off; `undefined` where it is a rule of the protocol and has no switch. */
  readonly off: Http2Options | undefined;
  /** How much the attacker got. */
  readonly play: (options: Http2Options, isOn: boolean) => Outcome;
  readonly honest: Honest;
}

export interface Outcome {
  readonly got: number;
  readonly core: CoreUnderTest;
}

/** The legitimate extreme: it must pass unhurt, so `play` throws where it does not. */
export interface Honest {
  readonly name: string;
  readonly play: () => void;
}

type Frame = Buffer | { bytes(): Buffer };

export interface VictimOptions {
  /** The peer never reads: nothing is taken of what we send. */
  readonly isPeerDeaf?: boolean;
}

/** A core that is fed as its driver would: not while it pauses reading, not once it is closed. Time is virtual. */
export class Victim {
  readonly core: CoreUnderTest;
  /** Frames that it read. */
  read = 0;
  /** Lines of what it sent, by first word: "RST_STREAM". */
  readonly sent = new Map<string, number>();
  private readonly isPeerDeaf: boolean;

  constructor(role: Role, options: Http2Options = {}, { isPeerDeaf = false }: VictimOptions = {}) {
    this.core = CoreUnderTest.ready(role, options);
    this.isPeerDeaf = isPeerDeaf;
  }

  get isReading(): boolean {
    return this.core.http2.mayRead && !this.core.http2.isClosed;
  }

  /** One chunk. False where it was not read. */
  feed(...chunk: readonly Frame[]): boolean {
    if (!this.isReading) return false;
    this.core.receive(...chunk);
    this.read += chunk.length;
    this.settle();
    return true;
  }

  /** `perMs` frames as one chunk each millisecond. */
  flood(ms: number, perMs: number, frame: (index: number) => Frame): this {
    for (let index = 0, at = 0; at < ms; at++) {
      if (this.isReading) {
        this.feed(...Array.from({ length: perMs }, () => frame(index++)));
      }
      this.pass(1);
    }
    return this;
  }

  pass(ms: number): this {
    this.core.advance(ms);
    this.settle();
    return this;
  }

  /** Octets that wait for a peer that never reads. */
  waitingBytes(): number {
    const taken = this.core.http2.takeOutput();
    return taken === undefined ? 0 : taken.bytes.length;
  }

  countOf(word: string): number {
    return this.sent.get(word) ?? 0;
  }

  /** What the core holds against this peer. */
  counted(cause: string): number {
    return this.core.http2.faultCounts.get(cause) ?? 0;
  }

  /** Throws unless the peer was served like any other: nothing refused, paused or closed. */
  assertUnhurt(...harmless: readonly string[]): void {
    const { http2 } = this.core;
    if (http2.isClosed) throw new Error(`an honest peer was closed: ${http2.fault?.cause}`);
    if (!http2.mayRead) throw new Error(`an honest peer is not read: ${[...http2.faultCounts].join(" ")}`);
    const held = [...http2.faultCounts.keys()].filter((cause) => !harmless.includes(cause));
    if (held.length > 0) throw new Error(`an honest peer was blamed for ${held.join(", ")}`);
  }

  private settle(): void {
    this.core.events();
    if (this.isPeerDeaf) return;
    for (const line of this.core.sent()) {
      const word = line.slice(0, line.indexOf(" "));
      this.sent.set(word, (this.sent.get(word) ?? 0) + 1);
    }
  }
}

export const OFF: number = Number.POSITIVE_INFINITY;

const REQUEST = frames.headers(1).request("POST", "/s/m").bytes();

/** A request on that stream, quickly. */
export function request(id: number, endStream: boolean = false): Buffer {
  const octets = Buffer.from(REQUEST);
  octets.writeUInt32BE(id, 5);
  if (endStream) octets[4]! |= 1;
  return octets;
}

/** An octet a second; the result is how many seconds the victim went on. */
export function drip(victim: Victim, octets: Buffer): number {
  let seconds = 0;
  for (; seconds < 1_000 && victim.feed(octets.subarray(seconds, seconds + 1)); seconds++) victim.pass(1_000);
  return seconds;
}

/** That many calls of an honest peer, ten a millisecond, each with `more` in front; all of them complete. */
export function completeCalls(victim: Victim, count: number, more: (id: number) => readonly Frame[]): void {
  const { core } = victim;
  core.sink.react.onHeaders = (stream) => core.http2.sendHeaders(stream, Buffer.of(0x88), true);
  for (let index = 0; index < count; index++) {
    const id = 1 + 2 * index;
    victim.feed(...more(id), request(id, true));
    if (index % 10 === 9) victim.pass(1);
  }
}
