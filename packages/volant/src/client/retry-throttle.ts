/**
 * The channel's budget for retries. gRFC A6 "Throttling Retry Attempts and Hedged RPCs". Attempts per call alone do not
 * bound the load of an outage: with four attempts each, a server that fails gets four times the traffic that broke it. The
 * bucket lets a burst of failures pass, and cuts retries off while failures outnumber successes by the ratio.
 *
 * Owns the tokens; knows no call.
 */

import { checkOptions, type OptionTable } from "../rpc/option-names.ts";
import { describeNumber } from "../rpc/option-range.ts";

export interface ResolvedThrottleOptions {
  readonly maxTokens: number;
  readonly tokenRatio: number;
}

const THROTTLE_OPTIONS = { maxTokens: true, tokenRatio: true } as const satisfies OptionTable<ResolvedThrottleOptions>;

/** A restart that fails 250 calls at once leaves all of them their retry. */
const DEFAULT_MAX_TOKENS = 500;
/** In the long run at most one retry to ten successes. */
const DEFAULT_TOKEN_RATIO = 0.1;
/** gRFC A6: the most that a service config may ask for. */
const MOST_TOKENS = 1_000;

/** Throws RangeError naming the option, what was given and what is allowed. Undefined: no throttling. */
export function resolveThrottleOptions(
  options: { readonly maxTokens?: number; readonly tokenRatio?: number } | false | undefined,
): ResolvedThrottleOptions | undefined {
  if (options === false) return undefined;
  checkOptions("new Channel(): retry: throttling", options, THROTTLE_OPTIONS);
  const { maxTokens = DEFAULT_MAX_TOKENS, tokenRatio = DEFAULT_TOKEN_RATIO } = options ?? {};
  check("maxTokens", maxTokens, MOST_TOKENS);
  check("tokenRatio", tokenRatio, Number.MAX_VALUE);
  // gRFC A6: three decimals count.
  return Object.freeze({ maxTokens, tokenRatio: Math.max(0.001, Math.floor(tokenRatio * 1_000) / 1_000) });
}

export class RetryThrottle {
  private readonly options: ResolvedThrottleOptions;
  private tokens: number;

  constructor(options: ResolvedThrottleOptions) {
    this.options = options;
    this.tokens = options.maxTokens;
  }

  get mayRetry(): boolean {
    return this.tokens > this.options.maxTokens / 2;
  }

  onFailure(): void {
    this.tokens = Math.max(0, this.tokens - 1);
  }

  onSuccess(): void {
    const { maxTokens, tokenRatio } = this.options;
    this.tokens = Math.min(maxTokens, this.tokens + tokenRatio);
  }
}

function check(name: string, value: number, max: number): void {
  if (typeof value === "number" && value > 0 && value <= max) return;
  const allowed = max === Number.MAX_VALUE ? "a number above 0" : `a number above 0 and up to ${max}`;
  throw new RangeError(`retry.throttling.${name}: ${describeNumber(value)} given, ${allowed} is allowed`);
}
