/**
 * What either side accepts of the messages of the other. Owns the options that servers and channels share, their defaults
 * and their validation.
 */
import {
  COMPRESSION_OPTIONS,
  type CompressionOptions,
  type ResolvedCompression,
  resolveCompressionOptions,
} from "../compression/options.ts";
import { ThreadLine } from "../compression/threads.ts";
import type { OptionTable } from "../rpc/option-names.ts";
import { inRange } from "../rpc/option-range.ts";
import { type PeerShare, processBudget, SharedBudget } from "./buffer-budget.ts";
import { type Decoding, type DecodingOptions, resolveDecoding } from "./decoding.ts";

export interface InboundOptions extends DecodingOptions {
  /**
   * Largest message accepted, on the wire and inflated. Default 4 MiB (grpc.max_receive_message_length); at most 2 GiB less
   * one octet, which Infinity means too. Without it a peer that says 4 GiB gets them (CVE-2024-37168).
   */
  readonly maxReceiveMessageBytes?: number;
  /**
   * Octets that messages larger than one read, and those inflated, may hold until they are taken; what was declared and did
   * not arrive holds nothing. A message for which there is no room is refused with RESOURCE_EXHAUSTED. One peer, by its
   * address, may hold as much as it leaves to others, alone half of it; a message alone may be as large as all of it.
   * Default: 256 MiB shared by the whole process.
   */
  readonly maxBufferedBytes?: number;
  /**
   * Octets of messages that a stream may have decoded before its reader takes them, 128 more for each; further ones stay
   * octets until then. Default 32 KiB; Infinity turns it off. Without it a window of empty messages becomes as many objects.
   */
  readonly decodeAheadBytes?: number;
  /** Compression of messages, both ways. Default: compressed ones are accepted, those sent go as they are. */
  readonly compression?: CompressionOptions;
}

export const INBOUND_OPTIONS = {
  maxReceiveMessageBytes: true,
  maxBufferedBytes: true,
  decodeAheadBytes: true,
  compression: COMPRESSION_OPTIONS,
  unknownFields: true,
  maxDecodedValues: true,
} as const satisfies OptionTable<InboundOptions>;

/** Whose limits they are, in the words of an error that the other side may read. */
export type LimitOwner = "server" | "channel";

export interface InboundLimits {
  readonly owner: LimitOwner;
  /** On the wire and inflated. */
  readonly maxMessageBytes: number;
  readonly budget: SharedBudget;
  readonly aheadBytes: number;
  readonly compression: ResolvedCompression;
}

/** What concerns streams, and what a method is bound to. */
export interface ResolvedInbound extends InboundLimits {
  readonly decoding: Decoding;
}

/** The same for the streams of one connection. */
export interface PeerLimits extends InboundLimits {
  readonly share: PeerShare;
  /** For messages of this connection that are compressed or inflated off the loop. */
  readonly threadLine: ThreadLine;
}

const DEFAULT_MESSAGE_BYTES = 4 * 1024 * 1024;
/** RFC 9113 §6.9.1: what a window can hold, and so the most that can be granted for a message to arrive whole. */
const MOST_MESSAGE_BYTES = 0x7fff_ffff;
export const DEFAULT_AHEAD_BYTES = 32_768;

/** Throws RangeError or TypeError naming the option, what was given and what is allowed. */
export function resolveInboundLimits(options: InboundOptions, owner: LimitOwner): ResolvedInbound {
  const { maxReceiveMessageBytes = DEFAULT_MESSAGE_BYTES, maxBufferedBytes } = options;
  const { decodeAheadBytes = DEFAULT_AHEAD_BYTES, compression } = options;
  const isUnlimited = maxReceiveMessageBytes === Number.POSITIVE_INFINITY;
  const maxMessageBytes = isUnlimited
    ? MOST_MESSAGE_BYTES
    : inRange("maxReceiveMessageBytes", maxReceiveMessageBytes, 0, MOST_MESSAGE_BYTES);
  return Object.freeze({
    owner,
    maxMessageBytes,
    budget:
      maxBufferedBytes === undefined
        ? processBudget
        : new SharedBudget(inRange("maxBufferedBytes", maxBufferedBytes, 0)),
    aheadBytes: inRange("decodeAheadBytes", decodeAheadBytes, 0),
    compression: resolveCompressionOptions(compression),
    decoding: resolveDecoding(options, maxMessageBytes),
  });
}

/** For one connection, whose end leaves the share. */
export function limitsOfPeer(limits: InboundLimits, peer: string): PeerLimits {
  const share = limits.budget.join(peer);
  return { ...limits, share, threadLine: new ThreadLine(share.threadLine) };
}

/** The end of a sentence on a message that is larger than `maxBytes`: whose limit that is, and what to do. */
export function messageLimitText({ owner, maxMessageBytes }: InboundLimits, maxBytes: number): string {
  const option = maxBytes < maxMessageBytes ? "maxBufferedBytes" : "maxReceiveMessageBytes";
  const less = owner === "server" ? "send less at a time" : "ask for less at a time";
  return `the ${maxBytes} bytes that the ${owner} accepts; ${less}, or raise ${option} of the ${owner}`;
}

/** On a message that may arrive, and for which there is no room now. */
export function bufferLimitText({ owner, budget }: InboundLimits): string {
  return (
    `too many large messages are under way: those of the ${owner} may hold ${budget.maxBytes} bytes together, and one peer a ` +
    "share of that; try again later, or raise maxBufferedBytes of the " +
    owner
  );
}
