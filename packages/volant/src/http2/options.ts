/**
 * Options of one HTTP/2 connection. Owns their defaults and validation; inside the core only the resolved, frozen form
 * is seen. Every limit here bounds what a peer can make us hold or do.
 */
import { DEFAULT_MAX_FRAME_BYTES, MAX_FRAME_BYTES } from "./frame-type.ts";
import { UsageError } from "./usage-error.ts";

export type Role = "client" | "server";

interface OptionRule {
  readonly initial: number;
  readonly min: number;
  readonly max: number;
}

/** One row an option: default and legal range. The meaning is on {@link Http2Options}. */
const OPTION_RULES = {
  maxConcurrentStreams: { initial: 100, min: 1, max: 0x7fff_ffff },
  initialStreamWindowBytes: { initial: 65_535, min: 1, max: 0x7fff_ffff },
  connectionWindowBytes: { initial: 1_048_576, min: 65_535, max: 0x7fff_ffff },
  maxFrameBytes: { initial: DEFAULT_MAX_FRAME_BYTES, min: DEFAULT_MAX_FRAME_BYTES, max: MAX_FRAME_BYTES },
  headerTableBytes: { initial: 4096, min: 0, max: 65_536 },
  maxHeaderListBytes: { initial: 16_384, min: 256, max: 1_048_576 },
  maxHeaderFields: { initial: 128, min: 8, max: 65_536 },
  maxContinuations: { initial: 8, min: 0, max: 1024 },
  maxSettingsEntries: { initial: 32, min: 6, max: 1024 },
  outputHighWaterBytes: { initial: 262_144, min: 65_536, max: 67_108_864 },
  streamHighWaterBytes: { initial: 65_536, min: 1, max: 67_108_864 },
  maxProvokedFrames: { initial: 100, min: 1, max: 1_000_000 },
  handshakeTimeoutMs: { initial: 10_000, min: 1, max: 0x7fff_ffff },
  settingsAckTimeoutMs: { initial: 10_000, min: 1, max: 0x7fff_ffff },
  headerBlockTimeoutMs: { initial: 10_000, min: 1, max: 0x7fff_ffff },
  drainPingTimeoutMs: { initial: 5_000, min: 1, max: 0x7fff_ffff },
} as const satisfies Record<string, OptionRule>;

export interface Http2Options {
  /** Streams a peer may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS). Default 100. More are refused. */
  readonly maxConcurrentStreams?: number;
  /** Octets a peer may send on a stream before we consume any. Default 65,535. Memory: this times open streams. */
  readonly initialStreamWindowBytes?: number;
  /** The same for all streams of a connection together. Default 1 MiB; at least 65,535 (RFC 9113 §6.9.2). */
  readonly connectionWindowBytes?: number;
  /** Largest frame payload accepted (SETTINGS_MAX_FRAME_SIZE). Default 16,384. */
  readonly maxFrameBytes?: number;
  /** HPACK dynamic table of the decoder, and cap of the encoder's. Default 4,096 octets each. */
  readonly headerTableBytes?: number;
  /** Decoded size of one header list, RFC 9113 §6.5.2 (names, values and 32 a field). Default 16 KiB. */
  readonly maxHeaderListBytes?: number;
  /** Fields of one header list; without it one-octet references become gigabytes (CVE-2026-49975). Default 128. */
  readonly maxHeaderFields?: number;
  /** CONTINUATION frames of one block; without it a block never ends (CVE-2024-27316). Default 8. */
  readonly maxContinuations?: number;
  /** Parameters of one SETTINGS frame. Default 32. */
  readonly maxSettingsEntries?: number;
  /** Octets waiting for the socket above which streams wait to send. Default 256 KiB. */
  readonly outputHighWaterBytes?: number;
  /** Octets a stream may have queued before its writer waits. Default 64 KiB. */
  readonly streamHighWaterBytes?: number;
  /** Acknowledgements and resets a peer may provoke while it reads nothing; then we stop reading it. Default 100. */
  readonly maxProvokedFrames?: number;
  /** From the first octet expected to preface and SETTINGS complete. Default 10 s. */
  readonly handshakeTimeoutMs?: number;
  /** For the acknowledgement of our SETTINGS. Default 10 s. */
  readonly settingsAckTimeoutMs?: number;
  /** From HEADERS to END_HEADERS. Default 10 s. */
  readonly headerBlockTimeoutMs?: number;
  /** How long a drain waits for the PING that proves the peer saw the first GOAWAY. Default 5 s. */
  readonly drainPingTimeoutMs?: number;
}

export type ResolvedHttp2Options = Readonly<Record<keyof typeof OPTION_RULES, number>>;

/** Fills in defaults. Throws {@link UsageError} naming the option, what was given and what is allowed. */
export function resolveHttp2Options(options: Http2Options = {}): ResolvedHttp2Options {
  const resolved = {} as Record<keyof typeof OPTION_RULES, number>;
  for (const name of Object.keys(OPTION_RULES) as (keyof typeof OPTION_RULES)[]) {
    const { initial, min, max } = OPTION_RULES[name];
    const value = options[name] ?? initial;
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new UsageError(`${name}: ${String(value)} given, an integer from ${min} to ${max} is allowed`);
    }
    resolved[name] = value;
  }
  return Object.freeze(resolved);
}
