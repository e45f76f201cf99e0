/**
 * Options of a channel. Owns defaults and validation; inside, only the resolved form is seen.
 */
import { type Http2Options, type ResolvedHttp2Options, resolveHttp2Options } from "../transport/http2.ts";
import { BufferBudget, processBudget } from "../stream/buffer-budget.ts";
import type { InboundLimits } from "../stream/inbound.ts";
import type { KeepaliveOptions } from "../transport/keepalive.ts";
import { VERSION } from "../rpc/version.ts";
import { type BackoffOptions, type ResolvedBackoffOptions, resolveBackoffOptions } from "./backoff.ts";
import type { ClientInterceptor } from "./client-interceptor.ts";

export interface ChannelOptions {
  /** Policies for every client of this channel, outermost first; a client's own come inside them. */
  readonly interceptors?: readonly ClientInterceptor[];
  /** `:authority` of every call. Default: the target's host and port (grpc.default_authority). */
  readonly authority?: string;
  /** Put in front of the library's own user agent (grpc.primary_user_agent). */
  readonly userAgent?: string;
  /** From the first connect to the server's SETTINGS. Default 20,000 ms. */
  readonly connectTimeoutMs?: number;
  /** Waits between attempts to connect. */
  readonly backoff?: BackoffOptions;
  /** Largest response message. Default 4 MiB (grpc.max_receive_message_length). */
  readonly maxReceiveMessageBytes?: number;
  /** Octets that incomplete responses may hold. Default: 256 MiB shared by the whole process. */
  readonly maxBufferedBytes?: number;
  /**
   * PING after `timeMs` of silence while calls are under way, end of the connection after `timeoutMs` more. Default 5 min
   * and 20 s (grpc.keepalive_time_ms, grpc.keepalive_timeout_ms); `timeMs` is at least 10 s, Infinity turns it off.
   */
  readonly keepalive?: { readonly timeMs?: number; readonly timeoutMs?: number; readonly withoutCalls?: boolean };
  /** Limits of the HTTP/2 connection. */
  readonly http2?: Http2Options;
}

export interface ResolvedChannelOptions {
  readonly interceptors: readonly ClientInterceptor[];
  readonly authority: string | undefined;
  readonly userAgent: string;
  readonly connectTimeoutMs: number;
  readonly backoff: ResolvedBackoffOptions;
  readonly limits: InboundLimits;
  readonly keepalive: KeepaliveOptions;
  readonly http2: ResolvedHttp2Options;
}

const OWN_USER_AGENT = `volant-node/${VERSION}`;

/** Throws RangeError or UsageError naming the option, what was given and what is allowed. */
export function resolveChannelOptions(options: ChannelOptions): ResolvedChannelOptions {
  const { keepalive = {}, maxBufferedBytes, userAgent } = options;
  const connectTimeoutMs = atLeast("connectTimeoutMs", options.connectTimeoutMs ?? 20_000, 1);
  return Object.freeze({
    interceptors: options.interceptors ?? [],
    authority: options.authority,
    userAgent: userAgent === undefined ? OWN_USER_AGENT : `${userAgent} ${OWN_USER_AGENT}`,
    connectTimeoutMs,
    backoff: resolveBackoffOptions(options.backoff),
    limits: {
      maxMessageBytes: atLeast("maxReceiveMessageBytes", options.maxReceiveMessageBytes ?? 4 * 1024 * 1024, 0),
      budget:
        maxBufferedBytes === undefined
          ? processBudget
          : new BufferBudget(atLeast("maxBufferedBytes", maxBufferedBytes, 0)),
    },
    keepalive: {
      // gRFC A8: shorter than 10 s is what servers answer with too_many_pings.
      timeMs: atLeast("keepalive.timeMs", keepalive.timeMs ?? 300_000, 10_000),
      timeoutMs: atLeast("keepalive.timeoutMs", keepalive.timeoutMs ?? 20_000, 1),
      withoutCalls: keepalive.withoutCalls ?? false,
    },
    http2: resolveHttp2Options({ handshakeTimeoutMs: Math.ceil(connectTimeoutMs), ...options.http2 }),
  });
}

function atLeast(name: string, value: number, min: number): number {
  if (typeof value === "number" && value >= min) return value;
  throw new RangeError(`${name}: ${String(value)} given, a number ${min} or more is allowed`);
}
