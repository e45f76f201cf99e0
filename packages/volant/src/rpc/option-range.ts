/** Numbers that users give as options. Owns the words in which one out of range is refused. */

/** Throws RangeError naming the option, what was given and what is allowed. NaN is never in range. */
export function inRange(name: string, value: number, min: number, max: number = Number.POSITIVE_INFINITY): number {
  if (typeof value === "number" && value >= min && value <= max) return value;
  const allowed = max === Number.POSITIVE_INFINITY ? `${min} or more` : `from ${min} to ${max}`;
  throw new RangeError(`${name}: ${String(value)} given, a number ${allowed} is allowed`);
}
