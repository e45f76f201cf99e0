/**
 * The `grpc-timeout` header: one to eight digits and a unit.
 *
 * Must not know: clocks and deadlines; a timeout is a number of milliseconds.
 * Invariant: what is sent is never shorter than what was asked, so that a server does not give up before its client.
 * Spec: gRPC PROTOCOL-HTTP2 "Timeout".
 */

const MAX_DIGITS = 8;
const MAX_VALUE = 99_999_999;

/** Below this many milliseconds the unit is the microsecond: rounding up to a whole millisecond would add over 10 %. */
const MICROSECONDS_BELOW_MS = 10;

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** The answer of `parseTimeout` to a text that is no timeout. */
export const MALFORMED_TIMEOUT = -1;

/**
 * The header's value, rounded up to the unit. The value must be positive, so that nothing left to wait for goes as
 * `1n`. Beyond eight digits of hours it stays at the largest; a call without a deadline sends no header.
 */
export function formatTimeout(ms: number): string {
  if (ms <= 0) return "1n";
  if (ms < MICROSECONDS_BELOW_MS) return `${roundUpToMicroseconds(ms)}u`;
  if (ms <= MAX_VALUE) return `${Math.ceil(ms)}m`;
  if (ms <= MAX_VALUE * SECOND_MS) return `${Math.ceil(ms / SECOND_MS)}S`;
  if (ms <= MAX_VALUE * MINUTE_MS) return `${Math.ceil(ms / MINUTE_MS)}M`;
  return `${Math.min(MAX_VALUE, Math.ceil(ms / HOUR_MS))}H`;
}

/** Milliseconds, with a fraction for `u` and `n`; `MALFORMED_TIMEOUT` when the text is anything else. `0S` is 0. */
export function parseTimeout(text: string): number {
  const digits = text.length - 1;
  if (digits < 1 || digits > MAX_DIGITS) return MALFORMED_TIMEOUT;
  let value = 0;
  for (let index = 0; index < digits; index++) {
    const digit = text.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return MALFORMED_TIMEOUT;
    value = value * 10 + digit;
  }
  switch (text.charAt(digits)) {
    case "m":
      return value;
    case "u":
      return value / 1_000;
    case "n":
      return value / 1_000_000;
    case "S":
      return value * SECOND_MS;
    case "M":
      return value * MINUTE_MS;
    case "H":
      return value * HOUR_MS;
    default:
      return MALFORMED_TIMEOUT;
  }
}

/** The product may be rounded down onto a whole number (0.043 and a bit becomes 43); going back then shows it. */
function roundUpToMicroseconds(ms: number): number {
  const micros = Math.ceil(ms * 1_000);
  return micros / 1_000 < ms ? micros + 1 : micros;
}
