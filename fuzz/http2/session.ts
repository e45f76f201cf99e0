/**
 * What a peer sends, as a script: legal for the most part, wrong in one place or in many, with time and acts of the layer
 * above in between. Owns what the peer believes of its streams. Everything follows from the random source, nothing from
 * what the core answers, so that a script can be run twice. RFC 9113 §6.
 */

import { FrameFlag } from "../../packages/volant/src/http2/frame-type.ts";
import type { Role } from "../../packages/volant/src/http2/index.ts";
import { type FrameBuilder, frames, type HeadersBuilder } from "../../packages/volant/src/testing/frame-factory.ts";
import { damage, happens, type Random, randomOctets } from "./random-source.ts";

export type Step =
  | { readonly kind: "receive"; readonly octets: Buffer }
  /** The layer above does something; a client opens a stream only where the script says so. */
  | { readonly kind: "act" }
  | { readonly kind: "open" }
  /** The socket takes what waits. */
  | { readonly kind: "take" }
  | { readonly kind: "time"; readonly ms: number }
  | { readonly kind: "drain" };

const IDS_OF_A_CLIENT = 0x7fff_ffff;
const DRAIN_PING = 0xffff_ffff;
const GROWTH_PING = 0xffff_fffe;
const INCREMENTS = [0, 1, 100, 65_535, 1_000_000, 0x7fff_ffff];
const SETTINGS = [
  [0x1, [0, 100, 4_096, 65_536, 0xffff_ffff]],
  [0x2, [0, 0, 1, 2]],
  [0x3, [0, 1, 100]],
  [0x4, [0, 10, 65_535, 100_000, 0x7fff_ffff, 0x8000_0000]],
  [0x5, [16_384, 100_000, 16_383, 0xff_ffff, 0x100_0000]],
  [0x6, [0, 1_000]],
  [0x9, [0, 1]],
  [0xaaaa, [7]],
] as const;
const HEADER_SETS: readonly (readonly (readonly [string, string])[])[] = [
  [],
  [["x-a", "1"]],
  [["content-length", "5"]],
  [["content-length", "0"]],
  [["Upper", "1"]],
  [["connection", "close"]],
  [[":path", "/late"]],
  [["x-large", "v".repeat(600)]],
];

export class Session {
  private readonly random: Random;
  private readonly role: Role;
  /** In a thousand frames, so many are damaged or illegal. */
  private readonly wildness: number;
  /** Streams on which this peer has not ended yet, as it believes. */
  private readonly open: number[] = [];
  /** Streams on which it has. */
  private readonly past: number[] = [];
  /** Streams of a client that wait for their answer. */
  private readonly waiting: number[] = [];
  private nextId = 1;

  /** `role` is the core's. */
  constructor(random: Random, role: Role) {
    this.random = random;
    this.role = role;
    this.wildness = random.pick([0, 0, 20, 150]);
  }

  script(): Step[] {
    const { random } = this;
    const steps: Step[] = [{ kind: "receive", octets: this.opening() }];
    if (this.role === "client") for (let count = 1 + random.below(3); count > 0; count--) steps.push(this.openStep());
    for (let count = 5 + random.below(60); count > 0; count--) steps.push(this.step());
    return steps;
  }

  private step(): Step {
    const { random } = this;
    const choice = random.below(40);
    if (choice < 8) return { kind: "act" };
    if (choice < 13) return { kind: "take" };
    if (choice === 13) return { kind: "time", ms: random.pick([1, 100, 6_000, 61_000]) };
    if (choice === 14 && random.oneIn(6)) return { kind: "drain" };
    if (choice === 15 && this.role === "client") return this.openStep();
    if (choice === 16 && this.open.length > 0) return { kind: "receive", octets: this.burst(random.pick(this.open)) };
    const count = random.oneIn(4) ? 1 + random.below(6) : 1;
    return { kind: "receive", octets: Buffer.concat(Array.from({ length: count }, () => this.frame())) };
  }

  private openStep(): Step {
    this.waiting.push(this.nextId);
    this.nextId += 2;
    return { kind: "open" };
  }

  private opening(): Buffer {
    const { random } = this;
    const parts = [frames.settings(...(random.oneIn(3) ? [this.setting()] : [])).bytes()];
    if (!random.oneIn(5)) parts.push(frames.settingsAck().bytes());
    if (this.role === "server") parts.unshift(frames.preface);
    const octets = Buffer.concat(parts);
    return happens(random, this.wildness / 5) ? damage(random, octets) : octets;
  }

  private frame(): Buffer {
    const { random } = this;
    if (!happens(random, this.wildness)) return this.legalFrame();
    const octets = random.oneIn(2) ? damage(random, this.legalFrame()) : this.wildFrame();
    return random.oneIn(6) ? octets.subarray(0, random.below(octets.length + 1)) : octets;
  }

  private legalFrame(): Buffer {
    const { random } = this;
    const id = this.open.length > 0 ? random.pick(this.open) : undefined;
    const choice = random.below(32);
    if (choice < 8 || (id === undefined && choice < 22)) return this.headers();
    if (id !== undefined && choice < 18) return this.data(id);
    if (id !== undefined && choice < 20) return this.trailers(id);
    if (id !== undefined && choice < 22) return this.reset(id);
    return this.control(choice, id);
  }

  private control(choice: number, id: number | undefined): Buffer {
    const { random } = this;
    const late = this.past.length > 0 ? random.pick(this.past) : 0;
    switch (choice) {
      case 22:
      case 23:
        return frames.windowUpdate(id ?? 0, random.pick(INCREMENTS.slice(1, 4))).bytes();
      case 24:
        return (late > 0 && random.oneIn(4) ? frames.rstStream(late, 8) : frames.windowUpdate(late, 5_000)).bytes();
      case 25:
        return frames.windowUpdate(0, random.pick(INCREMENTS.slice(1, 5))).bytes();
      case 26:
        return frames.settings(this.setting(), this.setting()).bytes();
      case 27:
        return (random.oneIn(2) ? frames.ping() : frames.pingAck(random.below(3))).bytes();
      case 28:
        return random.oneIn(4) ? frames.goAway(random.pick([0, 3, IDS_OF_A_CLIENT]), 0, "x").bytes() : this.headers();
      case 29:
        return frames.priority(id ?? 1, 99).bytes();
      case 30:
        return frames.raw(0x20 + random.below(9), random.below(256), random.below(9), randomOctets(random, 5)).bytes();
      default:
        // The core's own PINGs, of the drain and of window growth, whether or not there was one.
        return frames.pingAck(random.pick([DRAIN_PING, GROWTH_PING])).bytes();
    }
  }

  private headers(): Buffer {
    const { random } = this;
    const id = this.role === "server" ? this.nextId : this.waiting.shift();
    if (id === undefined) return frames.windowUpdate(0, 1_000).bytes();
    if (this.role === "server") this.nextId += random.oneIn(8) ? 4 : 2;
    const more = random.oneIn(3) ? random.pick(HEADER_SETS) : [];
    const builder = frames.headers(id);
    if (this.role === "server") builder.request("POST", "/s/m", more);
    else if (random.oneIn(6)) {
      this.waiting.unshift(id);
      return builder.response(103).bytes();
    } else builder.response(200, more);
    return this.finishHeaders(id, builder, random.oneIn(4));
  }

  private trailers(id: number): Buffer {
    return this.finishHeaders(id, frames.headers(id).fields([["grpc-status", "0"]]), !happens(this.random, 50));
  }

  private finishHeaders(id: number, builder: HeadersBuilder, ends: boolean): Buffer {
    const { random } = this;
    if (ends) this.ends(id);
    else if (!this.open.includes(id)) this.open.push(id);
    if (ends) builder.endStream();
    if (random.oneIn(6)) return builder.continued(...[random.below(12), 12 + random.below(8)].slice(random.below(2)));
    if (random.oneIn(12)) builder.priority(random.oneIn(4) ? id : 0);
    return (random.oneIn(8) ? builder.padded(random.below(20)) : builder).bytes();
  }

  private data(id: number): Buffer {
    const { random } = this;
    const frame = frames.data(id, random.pick([0, 1, 5, 5, 100, 300, 3_000, 16_000]));
    if (random.oneIn(5)) frame.padded(random.pick([0, 1, 255]));
    if (!random.oneIn(6)) return frame.bytes();
    this.ends(id);
    return frame.endStream().bytes();
  }

  /** As much as a window on one stream, and the acknowledgement that makes windows grow where one was asked for. */
  private burst(id: number): Buffer {
    const bytes = this.random.pick([160, 300, 6_000, 10_000]);
    const part = Buffer.concat([1, 2, 3].map(() => frames.data(id, bytes).bytes()));
    const acknowledged = frames.pingAck(GROWTH_PING).bytes();
    return Buffer.concat([part, part, acknowledged].slice(this.random.below(2)));
  }

  private reset(id: number): Buffer {
    this.ends(id);
    return frames.rstStream(id, this.random.pick([0, 2, 7, 8, 99])).bytes();
  }

  private ends(id: number): void {
    const at = this.open.indexOf(id);
    if (at >= 0) this.open.splice(at, 1);
    this.past.push(id);
  }

  private setting(): readonly [number, number] {
    const { random } = this;
    const [id, values] = random.pick(SETTINGS);
    // A value that is out of range ends the connection: most scripts have better things to do.
    return [id, happens(random, 100 + this.wildness) ? random.pick<number>(values) : values[0]];
  }

  /** Any frame on any stream, with whatever flags and lengths. */
  private wildFrame(): Buffer {
    const { random } = this;
    const late = this.past.at(-1) ?? 1;
    const id = random.pick([0, 1, 2, 3, late, late, this.nextId, this.nextId + 100, IDS_OF_A_CLIENT]);
    const frame: FrameBuilder = random.pick([
      () => frames.data(id, random.pick([0, 1, 16_384])),
      () => frames.headers(id).block(randomOctets(random, random.below(30))),
      () => frames.headers(id).request("POST", "/s/m", random.pick(HEADER_SETS)),
      () => frames.continuation(id, randomOctets(random, random.below(10)), random.oneIn(2)),
      () => frames.windowUpdate(id, random.pick(INCREMENTS)),
      () => frames.rstStream(id, random.word()),
      () => frames.settings([random.below(10), random.word()]),
      () => frames.settingsAck(),
      () => frames.goAway(random.word(), random.word(), "x".repeat(random.below(400))),
      () => frames.priority(id, id),
      () => frames.pushPromise(id, 2),
      () => frames.ping(),
      () => frames.raw(random.below(12), random.below(256), id, randomOctets(random, random.below(20))),
    ])();
    if (random.oneIn(4)) frame.flag(random.oneIn(2) ? FrameFlag.END_STREAM : 1 << random.below(8));
    if (random.oneIn(6)) frame.withoutFlag(FrameFlag.END_HEADERS);
    if (random.oneIn(6)) frame.padded(random.below(5), random.below(256));
    if (random.oneIn(8)) frame.claimLength(random.pick([0, 3, 5, 16_384, 16_385]));
    return frame.bytes();
  }
}
