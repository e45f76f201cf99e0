/**
 * What every generator here needs of a random number: sizes at which code changes its mind, octets, and cuts.
 */
import { Random } from "../../packages/volant/test/protobuf/random.ts";

export { Random };

export function randomOctets(random: Random, length: number): Buffer {
  const octets = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at++) octets[at] = random.word();
  return octets;
}

/** Yes with that chance in a thousand. */
export function happens(random: Random, perMille: number): boolean {
  return random.below(1_000) < perMille;
}

/** `octets` with a few octets changed, cut out, doubled or put in. */
export function damage(random: Random, octets: Buffer): Buffer {
  let damaged = Buffer.from(octets);
  for (let count = 1 + random.below(3); count > 0; count--) {
    const at = random.below(damaged.length + 1);
    const length = 1 + random.below(8);
    switch (random.below(5)) {
      case 0:
        if (at < damaged.length) damaged[at] = random.word();
        break;
      case 1:
        if (at < damaged.length) damaged[at]! ^= 1 << random.below(8);
        break;
      case 2:
        damaged = Buffer.concat([damaged.subarray(0, at), damaged.subarray(at + length)]);
        break;
      case 3:
        damaged = Buffer.concat([damaged.subarray(0, at), randomOctets(random, length), damaged.subarray(at)]);
        break;
      default:
        damaged = Buffer.concat([damaged.subarray(0, at + length), damaged.subarray(at)]);
    }
  }
  return damaged;
}

/** `octets` in chunks of one octet each, or of random sizes. */
export function* chunksOf(random: Random, octets: Buffer, bytewise: boolean): Generator<Buffer> {
  for (let at = 0; at < octets.length; ) {
    const length = bytewise ? 1 : 1 + random.below(random.pick([2, 12, 100, 5_000]));
    yield octets.subarray(at, at + length);
    at += length;
  }
}
