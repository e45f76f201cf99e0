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
  /** Infinity: the limit can be switched off. */
  readonly max: number;
}

const OFF = Number.POSITIVE_INFINITY;

/** The largest header list that is sent to anyone: encoding one takes time in which nobody is served. */
export const MAX_SENT_LIST_BYTES = 1_048_576;

/** One row an option: default and legal range. The meaning is on {@link Http2Options}. */
export const OPTION_RULES = {
  maxConcurrentStreams: { initial: 100, min: 1, max: 0x7fff_ffff },
  initialStreamWindowBytes: { initial: 65_535, min: 1, max: 0x7fff_ffff },
  connectionWindowBytes: { initial: 1_048_576, min: 65_535, max: 0x7fff_ffff },
  maxStreamWindowBytes: { initial: 4_194_304, min: 1, max: 0x7fff_ffff },
  maxConnectionWindowBytes: { initial: 16_777_216, min: 1, max: 0x7fff_ffff },
  maxFrameBytes: { initial: DEFAULT_MAX_FRAME_BYTES, min: DEFAULT_MAX_FRAME_BYTES, max: MAX_FRAME_BYTES },
  headerTableBytes: { initial: 4096, min: 0, max: 65_536 },
  maxHeaderListBytes: { initial: 16_384, min: 256, max: 1_048_576 },
  maxHeaderBlockBytes: { initial: 1_048_576, min: 512, max: OFF },
  maxSentHeaderListBytes: { initial: 16_384, min: 256, max: MAX_SENT_LIST_BYTES },
  maxHeaderFields: { initial: 128, min: 8, max: 65_536 },
  maxContinuations: { initial: 8, min: 0, max: OFF },
  maxSettingsEntries: { initial: 32, min: 6, max: 1024 },
  outputHighWaterBytes: { initial: 262_144, min: 65_536, max: 67_108_864 },
  maxUnreadAnswerBytes: { initial: 524_288, min: 65_536, max: OFF },
  streamHighWaterBytes: { initial: 65_536, min: 1, max: 67_108_864 },
  maxProvokedFrames: { initial: 100, min: 1, max: OFF },
  maxUnsentAnswers: { initial: 1_000, min: 1, max: OFF },
  resetBurst: { initial: 2_000, min: 1, max: OFF },
  resetsPerSecond: { initial: 2_000, min: 1, max: OFF },
  refusalBurst: { initial: 10_000, min: 1, max: OFF },
  refusalsPerSecond: { initial: 4_000, min: 1, max: OFF },
  glitchBurst: { initial: 10_000, min: 1, max: OFF },
  glitchesPerSecond: { initial: 330, min: 1, max: OFF },
  glitchDebtTimeoutMs: { initial: 30_000, min: 1, max: OFF },
  windowUpdateBurst: { initial: 10_000, min: 1, max: OFF },
  windowUpdatesPerSecond: { initial: 330, min: 1, max: OFF },
  maxTinyDataFrames: { initial: 210_000, min: 1, max: OFF },
  streamStallTimeoutMs: { initial: 60_000, min: 1, max: OFF },
  abandonedHandlerMs: { initial: 30_000, min: 1, max: OFF },
  maxAbandonedHandlers: { initial: 100, min: 0, max: OFF },
  handshakeTimeoutMs: { initial: 10_000, min: 1, max: 0x7fff_ffff },
  settingsAckTimeoutMs: { initial: 10_000, min: 1, max: 0x7fff_ffff },
  headerBlockTimeoutMs: { initial: 10_000, min: 1, max: 0x7fff_ffff },
  frameTimeoutMs: { initial: 20_000, min: 1, max: OFF },
  drainPingTimeoutMs: { initial: 5_000, min: 1, max: 0x7fff_ffff },
} as const satisfies Record<string, OptionRule>;

export interface Http2Options {
  /** Streams a peer may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS). Default 100. More are refused. */
  readonly maxConcurrentStreams?: number;
  /**
   * Octets a peer may send on a stream before we consume any (SETTINGS_INITIAL_WINDOW_SIZE). Default 65,535. It grows with
   * the link up to `maxStreamWindowBytes`, and never shrinks. Memory: this times open streams.
   */
  readonly initialStreamWindowBytes?: number;
  /** The same for all streams of a connection together. Default 1 MiB; at least 65,535 (RFC 9113 §6.9.2). */
  readonly connectionWindowBytes?: number;
  /**
   * What the window of a stream may grow to while its peer fills it within a round trip and its reader keeps up. Default
   * 4 MiB: 335 Mbit/s on one stream over 100 ms. At or below `initialStreamWindowBytes` streams' windows stay as they are,
   * and with both caps at their initial sizes no PING is sent to measure. Memory: bounded by the connection's window.
   * gRPC-core: grpc.http2.bdp_probe.
   */
  readonly maxStreamWindowBytes?: number;
  /**
   * The same for `connectionWindowBytes`. Default 16 MiB, so that a few streams that nobody reads do not stop the others.
   * Memory: what one connection can make us hold once its link has proved fast and its readers then stop.
   */
  readonly maxConnectionWindowBytes?: number;
  /** Largest frame payload accepted (SETTINGS_MAX_FRAME_SIZE). Default 16,384. */
  readonly maxFrameBytes?: number;
  /** HPACK dynamic table of the decoder, and cap of the encoder's. Default 4,096 octets each. */
  readonly headerTableBytes?: number;
  /**
   * Decoded size of one header list, RFC 9113 §6.5.2 (names, values and 32 a field; SETTINGS_MAX_HEADER_LIST_SIZE). Default
   * 16 KiB. A larger one costs its call: a server answers RESOURCE_EXHAUSTED, a client's call ends with that. Memory: twice
   * this while a block of several frames comes in.
   */
  readonly maxHeaderListBytes?: number;
  /**
   * Encoded size of one header block; a larger one ends the connection. Default 1 MiB, so that an error of 70,000 characters
   * of any script costs one call and not all of them. What is beyond twice `maxHeaderListBytes` is decoded for the HPACK
   * table and not kept, and each frame of it is a glitch. Without it a block never ends (CVE-2024-27316).
   */
  readonly maxHeaderBlockBytes?: number;
  /**
   * Largest header list that is sent to a peer that names no limit of its own (SETTINGS_MAX_HEADER_LIST_SIZE): request
   * metadata beyond it is a local RESOURCE_EXHAUSTED, of an error the details go first, then the end of its message. Default
   * 16 KiB, which is what we take ourselves, and what C-core and h2 (tonic) take; grpc-java and grpc-go take 8 KiB, nginx
   * 32 KiB, Envoy 60 KiB, grpc-js 64 KiB. A limit that the peer names counts instead, up to 1 MiB.
   */
  readonly maxSentHeaderListBytes?: number;
  /** Fields of one header list; without it one-octet references become gigabytes (CVE-2026-49975). Default 128. */
  readonly maxHeaderFields?: number;
  /**
   * CONTINUATION frames of one block, and one more for each 8 KiB of it; without it a block never ends (CVE-2024-27316).
   * Default 8.
   */
  readonly maxContinuations?: number;
  /** Parameters of one SETTINGS frame. Default 32. */
  readonly maxSettingsEntries?: number;
  /** Octets waiting for the socket above which streams wait to send. Default 256 KiB. */
  readonly outputHighWaterBytes?: number;
  /**
   * Octets beyond `outputHighWaterBytes` that may wait for the socket before we stop reading; DATA never goes beyond it, so these are
   * header blocks. Default 512 KiB. Server only: two peers that both stopped would wait for ever. Without it a peer that reads
   * nothing, and calls methods that do not exist, fills the memory (CVE-2019-9517).
   */
  readonly maxUnreadAnswerBytes?: number;
  /**
   * Bytes a stream may have queued for the socket before its writer waits. Default 64 KiB. Behind a window that is shut it waits
   * with the first message that is queued.
   */
  readonly streamHighWaterBytes?: number;
  /**
   * Acknowledgements and resets a peer may provoke while it reads nothing; then we stop reading it. Default 100. Without
   * it our answers to a peer that never reads fill the memory (CVE-2019-9512, CVE-2019-9514, CVE-2019-9515).
   */
  readonly maxProvokedFrames?: number;
  /** Acknowledgements of PING and SETTINGS it may leave unread; then the connection ends. Default 1,000. */
  readonly maxUnsentAnswers?: number;
  /**
   * Streams a peer may reset before we are done, and stream errors it may cause, in a burst. While none is left new streams
   * are refused. Default 2,000. Without it a peer makes us begin calls without end (CVE-2023-44487, CVE-2025-8671).
   */
  readonly resetBurst?: number;
  /**
   * Growth of that budget. Default 2,000 a second: what honest clients reset when the deadlines of an overloaded server
   * pass. What handlers cost is bounded by their slots, not by this.
   */
  readonly resetsPerSecond?: number;
  /** Streams refused in a burst before reading pauses; a debt as large ends the connection. Default 10,000. */
  readonly refusalBurst?: number;
  /** Growth of that budget. Default 4,000 a second: every honest stream may be refused and tried again. */
  readonly refusalsPerSecond?: number;
  /**
   * Frames that are legal but pointless, and stream errors at ten each, in a burst before reading pauses; a debt as large
   * ends the connection. Default 10,000. Without it they cost us time without end (CVE-2019-9513, CVE-2019-9518).
   */
  readonly glitchBurst?: number;
  /** Growth of that budget. Default 330 a second. */
  readonly glitchesPerSecond?: number;
  /**
   * How long a peer may go on to spend glitches faster than they grow back, with reading paused each time, before the connection
   * ends. Default 30 s. Without it what a peer left in our socket before it vanished is read for half an hour, pause after
   * pause, and all that it holds stays.
   */
  readonly glitchDebtTimeoutMs?: number;
  /**
   * WINDOW_UPDATEs beyond one, two a stream and twenty a DATA frame sent, in a burst before the connection ends. Default
   * 10,000. Without it one octet at a time makes us work for every octet we send (CVE-2019-9511, CVE-2019-9517).
   */
  readonly windowUpdateBurst?: number;
  /** Growth of that budget. Default 330 a second. */
  readonly windowUpdatesPerSecond?: number;
  /**
   * DATA frames below 256 octets that nobody consumed yet, for a connection window as large as `connectionWindowBytes`, and as many more
   * as it has grown; more are glitches. One below 5 octets counts as four, one that ends its stream or fills its window does not count. Default 210,000: a window
   * of 1 MiB full of empty gRPC messages, a frame each, so slow applications are safe. Without it frames of one octet cost far
   * more than the window that is meant to bound them (RUSTSEC-2026-0258).
   */
  readonly maxTinyDataFrames?: number;
  /**
   * A stream for which something waits, an answer or a writer, and of which the peer takes less than 1,024 bytes in this time
   * (in up to twice this time) is reset with CANCEL. What it took beyond counts for the periods that follow, as far as 32 KiB, since
   * peers tell of what they took half a window at a time; the window that a stream begins with does not count. A reader that
   * pauses for minutes on purpose is safe for half an hour by default, once it has read half of its window; raise this where
   * readers pause longer, have small windows, or take longer than this for the first half of one. Server only. Default 60 s;
   * Infinity turns it off. Without it a window of zero keeps handlers, and what they answer, in memory for ever (CVE-2026-49975).
   */
  readonly streamStallTimeoutMs?: number;
  /**
   * How long the handler of an ended stream keeps its place among the concurrent streams; up to half as long again.
   * Default 30 s. Without it a handler that hangs takes its place for ever.
   */
  readonly abandonedHandlerMs?: number;
  /** Handlers of a connection given up that way and still running; beyond it they keep their places. Default 100. */
  readonly maxAbandonedHandlers?: number;
  /** From the first octet expected to preface and SETTINGS complete. Default 10 s. */
  readonly handshakeTimeoutMs?: number;
  /** For the acknowledgement of our SETTINGS. Default 10 s. */
  readonly settingsAckTimeoutMs?: number;
  /** From the first octet of HEADERS to END_HEADERS. Default 10 s. */
  readonly headerBlockTimeoutMs?: number;
  /**
   * How long a frame that is not complete may gain less than a KiB; both roles. Default 20 s: uploads of 51 octets a second go
   * on, whatever the size of their frames. Without it a frame that stops in the middle holds its connection for ever.
   */
  readonly frameTimeoutMs?: number;
  /** How long a drain waits for the PING that proves the peer saw the first GOAWAY. Default 5 s. */
  readonly drainPingTimeoutMs?: number;
}

export type ResolvedHttp2Options = Readonly<Record<keyof typeof OPTION_RULES, number>>;

/** Fills in defaults. Throws {@link UsageError} naming the option, what was given and what is allowed. */
export function resolveHttp2Options(options: Http2Options = {}): ResolvedHttp2Options {
  checkNames(options);
  const resolved = {} as Record<keyof typeof OPTION_RULES, number>;
  for (const name of Object.keys(OPTION_RULES) as (keyof typeof OPTION_RULES)[]) {
    const { initial, min, max } = OPTION_RULES[name];
    const { [name]: value = initial } = options;
    if (!(Number.isInteger(value) || value === OFF) || value < min || value > max) {
      throw new UsageError(`${name}: ${String(value)} given, an integer from ${min} to ${max} is allowed`);
    }
    resolved[name] = value;
  }
  return Object.freeze(resolved);
}

/** A misspelt limit would be none. */
function checkNames(options: unknown): void {
  const names = Object.keys(OPTION_RULES).join(", ");
  if (typeof options !== "object" || options === null) {
    throw new UsageError(`HTTP/2 options: ${String(options)} given, an object is allowed: { ${names} }`);
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTION_RULES, name));
  if (unknown !== undefined) throw new UsageError(`there is no option ${JSON.stringify(unknown)} (allowed: ${names})`);
}
