/**
 * How long to wait before the next attempt to connect, or of a call. gRPC connection-backoff, gRFC A6: exponential with
 * jitter, so that a thousand clients of a server that restarts do not come back in step. Owns the arithmetic; randomness
 * is given.
 */

import type { OptionTable } from "../rpc/option-names.ts";
import { describeNumber } from "../rpc/option-range.ts";

/** The defaults are those of connecting; a retry policy has its own. */
export interface BackoffOptions {
  /** Before the second attempt. Default 1,000 ms, or `maxMs` where that is less (grpc.initial_reconnect_backoff_ms). */
  readonly initialMs?: number;
  /** Default 1.6. */
  readonly multiplier?: number;
  /** Share by which each wait varies, 0 to 1. Default 0.2. */
  readonly jitter?: number;
  /** Default 120,000 ms, or `initialMs` where that is more (grpc.max_reconnect_backoff_ms). */
  readonly maxMs?: number;
}

export const BACKOFF_OPTIONS = {
  initialMs: true,
  multiplier: true,
  jitter: true,
  maxMs: true,
} as const satisfies OptionTable<BackoffOptions>;

export type ResolvedBackoffOptions = Readonly<Required<BackoffOptions>>;

/** Eleven days. Twice as long, with full jitter, is still a delay that `setTimeout` takes; above 2^31 it would be 1 ms. */
const LONGEST_MS = 1_000_000_000;
const OF_CONNECTING: ResolvedBackoffOptions = { initialMs: 1_000, multiplier: 1.6, jitter: 0.2, maxMs: 120_000 };

/** Throws RangeError naming the option (`name` and a dot in front), what was given and what is allowed. */
export function resolveBackoffOptions(
  options: BackoffOptions = {},
  name: string = "backoff",
  defaults: ResolvedBackoffOptions = OF_CONNECTING,
): ResolvedBackoffOptions {
  const { multiplier = defaults.multiplier, jitter = defaults.jitter } = options;
  const maxMs = options.maxMs ?? Math.max(defaults.maxMs, options.initialMs ?? 0);
  check(`${name}.maxMs`, maxMs, 1, LONGEST_MS);
  const initialMs = options.initialMs ?? Math.min(defaults.initialMs, maxMs);
  check(`${name}.initialMs`, initialMs, 1, maxMs);
  check(`${name}.multiplier`, multiplier, 1, 100);
  check(`${name}.jitter`, jitter, 0, 1);
  return Object.freeze({ initialMs, multiplier, jitter, maxMs });
}

/** The wait after `failures` (1 or more) attempts in a row failed. `random` is in [0, 1). */
export function backoffMs(options: ResolvedBackoffOptions, failures: number, random: number): number {
  const { initialMs, multiplier, jitter, maxMs } = options;
  const base = Math.min(maxMs, initialMs * multiplier ** (failures - 1));
  return base * (1 + jitter * (random * 2 - 1));
}

function check(name: string, value: number, min: number, max: number): void {
  if (typeof value === "number" && value >= min && value <= max) return;
  throw new RangeError(`${name}: ${describeNumber(value)} given, a number from ${min} to ${max} is allowed`);
}
