/**
 * Which attempts that failed are made again, and when. gRFC A6. Owns the options and the decision; time, timers and
 * randomness are others'.
 *
 * Why so careful: a retry is load that the server did not ask for, and it comes when the server has least to spare. Three
 * things bound it: attempts per call, waits that grow and differ from client to client, and a budget per channel that an
 * outage empties (`retry-throttle.ts`).
 */
import { HeaderName } from "../grpc/header-names.ts";
import type { Metadata } from "../rpc/metadata.ts";
import type { MethodInfo } from "../rpc/method.ts";
import { describeGiven, type OptionTable } from "../rpc/option-names.ts";
import { describeNumber } from "../rpc/option-range.ts";
import { isStatusCode, type Status, StatusCode } from "../rpc/status.ts";
import {
  BACKOFF_OPTIONS,
  type BackoffOptions,
  backoffMs,
  type ResolvedBackoffOptions,
  resolveBackoffOptions,
} from "./backoff.ts";
import { type ResolvedThrottleOptions, type RetryThrottle, resolveThrottleOptions } from "./retry-throttle.ts";

export interface RetryOptions {
  /** The first one counts. Default 4; more than 5 counts as 5 (gRFC A6 maxAttempts). */
  readonly maxAttempts?: number;
  /** Waits between attempts. Default: 50 ms, doubling up to 2,000 ms, each 20 % shorter or longer by chance. */
  readonly backoff?: BackoffOptions;
  /** Statuses that are tried again. Default: UNAVAILABLE alone (gRFC A6 retryableStatusCodes). */
  readonly codes?: readonly StatusCode[];
  /**
   * `"idempotent"` (default): calls of methods whose proto says `idempotency_level`, and calls made with `idempotent: true`.
   * `"all"`: every call that does not say `idempotent: false`. A call that the server certainly did not see is tried again
   * either way.
   */
  readonly methods?: "idempotent" | "all";
  /**
   * Retries stop while the server fails more than it serves. Each failed attempt takes a token, each call that succeeds
   * gives `tokenRatio` back; at half of `maxTokens` or less nothing is tried again. Default 500 and 0.1 for the channel;
   * false turns it off (gRFC A6 retryThrottling).
   */
  readonly throttling?: { readonly maxTokens?: number; readonly tokenRatio?: number } | false;
}

export const RETRY_OPTIONS = {
  maxAttempts: true,
  backoff: BACKOFF_OPTIONS,
  codes: "array",
  methods: true,
  throttling: true,
} as const satisfies OptionTable<RetryOptions>;

export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly backoff: ResolvedBackoffOptions;
  readonly codes: ReadonlySet<StatusCode>;
  readonly coversAll: boolean;
  readonly throttling: ResolvedThrottleOptions | undefined;
}

const DEFAULT_MAX_ATTEMPTS = 4;
/** gRFC A6: above it a setting is not an error, and counts as this. */
const MOST_ATTEMPTS = 5;
const DEFAULT_BACKOFF: ResolvedBackoffOptions = { initialMs: 50, multiplier: 2, jitter: 0.2, maxMs: 2_000 };
const DEFAULT_CODES: readonly StatusCode[] = [StatusCode.UNAVAILABLE];

/** Throws RangeError or TypeError naming the option, what was given and what is allowed. */
export function resolveRetryOptions(options: RetryOptions | undefined): RetryPolicy | undefined {
  if (options === undefined) return undefined;
  const { maxAttempts = DEFAULT_MAX_ATTEMPTS, codes = DEFAULT_CODES, methods = "idempotent" } = options;
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1) {
    throw new RangeError(
      `retry.maxAttempts: ${describeNumber(maxAttempts)} given, a whole number 1 or more is allowed`,
    );
  }
  if (methods !== "idempotent" && methods !== "all") {
    throw new TypeError(`retry.methods: ${describeGiven(methods)} given, "idempotent" or "all" is allowed`);
  }
  return Object.freeze({
    maxAttempts: Math.min(maxAttempts, MOST_ATTEMPTS),
    backoff: resolveBackoffOptions(options.backoff, "retry.backoff", DEFAULT_BACKOFF),
    codes: new Set(codes.map(checkCode)),
    coversAll: methods === "all",
    throttling: resolveThrottleOptions(options.throttling),
  });
}

/** Whether a second attempt does no harm even where the server acted on the first. `byCaller` overrules the proto. */
export function mayRepeat(policy: RetryPolicy, method: MethodInfo, byCaller: boolean | undefined): boolean {
  return byCaller ?? (policy.coversAll || method.idempotency !== "UNKNOWN");
}

/** What a failed attempt leads to, for one call. */
export class CallRetries {
  /** Attempts that failed; gRFC A6: what `grpc-previous-rpc-attempts` says. Those repeated transparently do not count. */
  failures = 0;
  /** Waits since the server last said how long to wait. */
  private waits = 0;
  private readonly policy: RetryPolicy;
  private readonly throttle: RetryThrottle | undefined;

  constructor(policy: RetryPolicy, throttle: RetryThrottle | undefined) {
    this.policy = policy;
    this.throttle = throttle;
  }

  /** Milliseconds to wait before the next attempt; undefined where there is none. `random` is in [0, 1). */
  delayAfter(status: Status, random: number): number | undefined {
    const { policy, throttle } = this;
    const pushback = pushbackOf(status.metadata);
    const isRetryable = policy.codes.has(status.code);
    this.failures++;
    if (isRetryable || pushback === "never") throttle?.onFailure();
    if (!isRetryable || pushback === "never" || this.failures >= policy.maxAttempts) return undefined;
    if (throttle !== undefined && !throttle.mayRetry) return undefined;
    if (pushback === undefined) return backoffMs(policy.backoff, ++this.waits, random);
    this.waits = 0;
    return pushback;
  }
}

/** gRFC A6: how long the server wants to be left alone; what is negative or cannot be read asks for no retry at all. */
function pushbackOf(trailers: Metadata): number | "never" | undefined {
  const values = trailers.getAll(HeaderName.RETRY_PUSHBACK);
  if (values.length === 0) return undefined;
  const text = values.length === 1 ? values[0]! : "";
  const delayMs = /^\d{1,10}$/.test(text) ? Number(text) : -1;
  return delayMs >= 0 && delayMs <= 0x7fff_ffff ? delayMs : "never";
}

function checkCode(code: StatusCode): StatusCode {
  if (isStatusCode(code) && code !== StatusCode.OK) return code;
  throw new RangeError(`retry.codes: ${describeNumber(code)} given, StatusCode other than OK is allowed`);
}
