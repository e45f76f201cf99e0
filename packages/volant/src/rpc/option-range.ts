/** Numbers that users give as options. Owns the words in which one out of range is refused. */

import { describeGiven } from "./option-names.ts";

/** Throws RangeError naming the option, what was given and what is allowed. NaN is never in range. */
export function inRange(name: string, value: number, min: number, max: number = Number.POSITIVE_INFINITY): number {
  if (typeof value === "number" && value >= min && value <= max) return value;
  const allowed = max === Number.POSITIVE_INFINITY ? `${min} or more` : `from ${min} to ${max}`;
  throw new RangeError(`${name}: ${describeNumber(value)} given, a number ${allowed} is allowed`);
}

/** A number as it is; what is none with its kind, or the text "5" would be refused as 5. */
export function describeNumber(value: unknown): string {
  return typeof value === "number" ? String(value) : describeGiven(value);
}
