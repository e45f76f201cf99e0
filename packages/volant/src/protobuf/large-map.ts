/**
 * Maps as objects of many properties. Owns what the engine has to be told before they grow.
 *
 * V8 keeps integer keys in an array or in a hash table, and changes from one to the other as it thinks fit: for keys that somebody chose,
 * such as 400,000 in a row and then every two thousandth, it does so with every second key and copies all of them each time, for minutes.
 * An object that once had an integer key above 2^29 stays a hash table. Names go into one by themselves after some hundred.
 */

/** From here on a map is large: smaller ones cost little however they are stored, and an array is the faster form. */
export const LARGE_MAP_ENTRIES = 1_024;

/** The largest key that counts as an integer. */
const LARGEST_INDEX = "4294967294";

export function prepareLargeMap(map: object): void {
  const record = map as Record<string, unknown>;
  // Then it is one already.
  if (Object.hasOwn(record, LARGEST_INDEX)) return;
  record[LARGEST_INDEX] = undefined;
  delete record[LARGEST_INDEX];
}
