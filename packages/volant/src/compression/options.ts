/**
 * Options of compression, the same for servers and channels. Owns defaults and validation; inside, only the resolved form
 * is seen.
 */
import { type CompressionName, IDENTITY, type MessageEncoding } from "../grpc/message-encoding.ts";
import type { OptionTable } from "../rpc/option-names.ts";
import { inRange } from "../rpc/option-range.ts";
import { ENCODINGS, requireEncoding } from "./encodings.ts";

export interface CompressionOptions {
  /**
   * How messages are sent, unless a call says otherwise. A server uses it only towards clients that accept it. Default
   * `"identity"`: as they are (grpc.default_compression_algorithm).
   */
  readonly send?: CompressionName;
  /**
   * What may arrive, in the order in which the peer is told. Identity is always among it. Default: identity, gzip, deflate,
   * and zstd where Node has it (grpc.compression_enabled_algorithms_bitset). Memory: an inflated message counts towards
   * `maxReceiveMessageBytes` while it is inflated, and towards `maxBufferedBytes` until it is taken.
   */
  readonly accept?: readonly CompressionName[];
  /** Smaller messages are sent as they are, in octets. Default 1,024. So is any that would not become smaller. */
  readonly minBytes?: number;
  /**
   * Messages above this, in octets, before or after, are compressed and inflated by zlib's threads instead of the event
   * loop; Infinity: none is. Default 32,768. Memory: as many messages are under way at once as the pool has threads,
   * less one.
   */
  readonly offLoopBytes?: number;
}

export const COMPRESSION_OPTIONS = {
  send: true,
  accept: "array",
  minBytes: true,
  offLoopBytes: true,
} as const satisfies OptionTable<CompressionOptions>;

export interface ResolvedCompression {
  /** `undefined` is identity. */
  readonly send: CompressionName | undefined;
  /** By name; identity is not in it. */
  readonly accepted: ReadonlyMap<string, MessageEncoding>;
  /** The value of `grpc-accept-encoding`. */
  readonly acceptEncoding: string;
  readonly minBytes: number;
  readonly offLoopBytes: number;
}

const DEFAULT_MIN_BYTES = 1_024;
const DEFAULT_OFF_LOOP_BYTES = 32_768;

/** Throws TypeError or RangeError naming the option, what was given and what is allowed. */
export function resolveCompressionOptions(options: CompressionOptions = {}): ResolvedCompression {
  const { send, accept, minBytes = DEFAULT_MIN_BYTES, offLoopBytes = DEFAULT_OFF_LOOP_BYTES } = options;
  const accepted = accept === undefined ? ENCODINGS : acceptedOf(accept);
  return Object.freeze({
    send: send === undefined ? undefined : requireEncoding("compression.send", send)?.name,
    accepted,
    acceptEncoding: [IDENTITY, ...accepted.keys()].join(","),
    minBytes: inRange("compression.minBytes", minBytes, 0),
    offLoopBytes: inRange("compression.offLoopBytes", offLoopBytes, 0),
  });
}

function acceptedOf(names: readonly CompressionName[]): ReadonlyMap<string, MessageEncoding> {
  const accepted = new Map<string, MessageEncoding>();
  for (const name of names) {
    const encoding = requireEncoding("compression.accept", name);
    if (encoding !== undefined) accepted.set(name, encoding);
  }
  return accepted;
}
