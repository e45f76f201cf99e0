/**
 * Options of a channel. Owns defaults and validation; inside, only the resolved form is seen.
 */

import { printable } from "../grpc/printable.ts";
import { isDevelopment } from "../rpc/development.ts";
import { stackOfThrown } from "../rpc/foreign-values.ts";
import { checkInterceptors } from "../rpc/hooks.ts";
import type { MethodInfo } from "../rpc/method.ts";
import { checkOptions, type OptionTable } from "../rpc/option-names.ts";
import { inRange } from "../rpc/option-range.ts";
import { VERSION } from "../rpc/version.ts";
import { BufferBudget } from "../stream/buffer-budget.ts";
import {
  INBOUND_OPTIONS,
  type InboundOptions,
  type ResolvedInbound,
  resolveInboundLimits,
} from "../stream/inbound-limits.ts";
import {
  HTTP2_OPTIONS,
  type Http2Options,
  type ResolvedHttp2Options,
  resolveHttp2Options,
} from "../transport/http2.ts";
import type { KeepaliveOptions } from "../transport/keepalive.ts";
import { type ChannelTlsOptions, type ResolvedChannelTls, resolveChannelTls } from "../transport/tls-dialer.ts";
import { DEFAULT_WRITE_STALL_MS } from "../transport/write-stall.ts";
import { BACKOFF_OPTIONS, type BackoffOptions, type ResolvedBackoffOptions, resolveBackoffOptions } from "./backoff.ts";
import type { ClientInterceptor } from "./client-interceptor.ts";
import type { ReplayLimits } from "./replay-log.ts";
import { RETRY_OPTIONS, type RetryOptions, type RetryPolicy, resolveRetryOptions } from "./retry-policy.ts";

export interface ChannelOptions extends InboundOptions {
  /**
   * TLS: true verifies the server by Node's CAs; an object says by which, as whom, or shows a certificate of one's own.
   * Default: cleartext HTTP/2.
   */
  readonly tls?: boolean | ChannelTlsOptions;
  /** Policies for every client of this channel, outermost first; a client's own come inside them. */
  readonly interceptors?: readonly ClientInterceptor[];
  /** `:authority` of every call. Default: `tls.servername`, or the target's host and port (grpc.default_authority). */
  readonly authority?: string;
  /** Put in front of the library's own user agent (grpc.primary_user_agent). */
  readonly userAgent?: string;
  /** From the first connect to the server's SETTINGS. Default 20,000 ms. */
  readonly connectTimeoutMs?: number;
  /** Waits between attempts to connect. */
  readonly backoff?: BackoffOptions;
  /**
   * Tries calls again that failed, gRFC A6. Default: off (`{}` turns it on); a call that the server certainly did not
   * process is repeated once without it (grpc.enable_retries).
   */
  readonly retry?: RetryOptions;
  /**
   * What calls may keep of their request streams, to send it again to another connection: each call `callBytes`, default
   * 256 KiB (grpc.per_rpc_retry_buffer_size), all calls of the channel `channelBytes`, default 16 MiB. What comes beyond is
   * sent and not kept, and the call cannot be repeated any more. It is freed when the response headers arrive.
   */
  readonly replayBuffer?: { readonly callBytes?: number; readonly channelBytes?: number };
  /**
   * PING after `timeMs` of silence while calls are under way, end of the connection after `timeoutMs` more. Default 5 min
   * and 20 s (grpc.keepalive_time_ms, grpc.keepalive_timeout_ms); `timeMs` is at least 10 s, Infinity turns it off. It
   * doubles when the server answers "too_many_pings".
   */
  readonly keepalive?: { readonly timeMs?: number; readonly timeoutMs?: number; readonly withoutCalls?: boolean };
  /**
   * Whether requests are checked before they are encoded: for fields that their type does not have, unknown cases of oneofs, and
   * objects of a class in the place of a message, as a Date for a Timestamp. Such a call rejects with INTERNAL and says the path.
   * Default: where `NODE_ENV` is not "production". Off it costs nothing, and such values are dropped, a Date becomes 1970-01-01; on
   * it looks at up to 10,000 values of each message.
   */
  readonly checkRequests?: boolean;
  /**
   * Errors that no caller will see: what `onHeaders`, `onTrailers`, `onEnd` or a state listener throws, or the clean-up of
   * a request iterable whose call is over. Default: written to stderr.
   */
  readonly onError?: (error: unknown, method: MethodInfo | undefined) => void;
  /**
   * A connection whose server takes no octet of what waits for it for this long (up to half as long again) ends, its calls
   * with UNAVAILABLE. Default 30,000 ms; Infinity turns it off: then such calls end by their deadlines only.
   */
  readonly writeStallTimeoutMs?: number;
  /** Limits of the HTTP/2 connection. */
  readonly http2?: Http2Options;
}

export const CHANNEL_OPTIONS = {
  ...INBOUND_OPTIONS,
  tls: true,
  interceptors: true,
  authority: true,
  userAgent: true,
  connectTimeoutMs: true,
  backoff: BACKOFF_OPTIONS,
  retry: RETRY_OPTIONS,
  replayBuffer: {
    callBytes: true,
    channelBytes: true,
  } satisfies OptionTable<NonNullable<ChannelOptions["replayBuffer"]>>,
  keepalive: {
    timeMs: true,
    timeoutMs: true,
    withoutCalls: "boolean",
  } satisfies OptionTable<NonNullable<ChannelOptions["keepalive"]>>,
  checkRequests: "boolean",
  onError: "function",
  writeStallTimeoutMs: true,
  http2: HTTP2_OPTIONS,
} as const satisfies OptionTable<ChannelOptions>;

export interface ResolvedChannelOptions {
  readonly tls: ResolvedChannelTls | undefined;
  readonly interceptors: readonly ClientInterceptor[];
  readonly authority: string | undefined;
  readonly userAgent: string;
  readonly connectTimeoutMs: number;
  readonly backoff: ResolvedBackoffOptions;
  readonly retry: RetryPolicy | undefined;
  readonly replay: ReplayLimits;
  readonly limits: ResolvedInbound;
  readonly keepalive: KeepaliveOptions;
  readonly checkRequests: boolean;
  readonly onError: (error: unknown, method: MethodInfo | undefined) => void;
  readonly writeStallTimeoutMs: number;
  readonly http2: ResolvedHttp2Options;
}

const OWN_USER_AGENT = `volant-node/${VERSION}`;
/** Above it `setTimeout` would fire after 1 ms. */
const LONGEST_TIMER_MS = 0x7fff_ffff;

/** Throws RangeError, TypeError or UsageError naming the option, what was given and what is allowed. */
export function resolveChannelOptions(options: ChannelOptions): ResolvedChannelOptions {
  checkOptions("new Channel()", options, CHANNEL_OPTIONS);
  checkInterceptors(options.interceptors);
  const tls = resolveChannelTls(options.tls);
  const { keepalive = {}, userAgent, authority = tls?.servername } = options;
  const connectTimeoutMs = inRange("connectTimeoutMs", options.connectTimeoutMs ?? 20_000, 1, LONGEST_TIMER_MS);
  if (authority !== undefined) checkText("authority", authority, /^[\x21-\x7e]+$/, "visible ASCII without spaces");
  if (userAgent !== undefined) checkText("userAgent", userAgent, /^[\x20-\x7e]+$/, "printable ASCII");
  return Object.freeze({
    tls,
    interceptors: options.interceptors ?? [],
    authority,
    userAgent: userAgent === undefined ? OWN_USER_AGENT : `${userAgent} ${OWN_USER_AGENT}`,
    connectTimeoutMs,
    backoff: resolveBackoffOptions(options.backoff),
    retry: resolveRetryOptions(options.retry),
    replay: resolveReplayLimits(options.replayBuffer ?? {}),
    limits: resolveInboundLimits(options, "channel"),
    keepalive: {
      // gRFC A8: shorter than 10 s is what servers answer with too_many_pings.
      timeMs: inRange("keepalive.timeMs", keepalive.timeMs ?? 300_000, 10_000),
      timeoutMs: inRange("keepalive.timeoutMs", keepalive.timeoutMs ?? 20_000, 1),
      withoutCalls: keepalive.withoutCalls ?? false,
    },
    checkRequests: options.checkRequests ?? isDevelopment(),
    onError: options.onError ?? writeToStderr,
    writeStallTimeoutMs: inRange("writeStallTimeoutMs", options.writeStallTimeoutMs ?? DEFAULT_WRITE_STALL_MS, 1),
    http2: resolveHttp2Options({ handshakeTimeoutMs: Math.ceil(connectTimeoutMs), ...options.http2 }),
  });
}

function resolveReplayLimits(options: NonNullable<ChannelOptions["replayBuffer"]>): ReplayLimits {
  const { callBytes = 256 * 1024, channelBytes = 16 * 1024 * 1024 } = options;
  return {
    callBytes: inRange("replayBuffer.callBytes", callBytes, 0),
    budget: new BufferBudget(inRange("replayBuffer.channelBytes", channelBytes, 0)),
  };
}

/** What stands in a header of every call is checked once, here. RFC 9113 §8.2.1. */
function checkText(name: string, value: string, allowed: RegExp, words: string): void {
  if (typeof value === "string" && allowed.test(value)) return;
  throw new TypeError(`${name}: ${JSON.stringify(value)} given, ${words} is allowed`);
}

function writeToStderr(error: unknown, method: MethodInfo | undefined): void {
  const where = method === undefined ? "channel" : method.path;
  process.stderr.write(`volant: ${where}: ${printable(stackOfThrown(error))}\n`);
}
