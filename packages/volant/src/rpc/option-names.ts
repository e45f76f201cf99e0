/**
 * Names of options, in plain JavaScript too: a misspelt name is an error where it is given, and never an option that does
 * nothing. Owns the check over the tables of names, and the words of its errors.
 *
 * A table has every name that an options object takes, and the table of an object inside it. The types make it complete:
 * `{ … } as const satisfies OptionTable<ServerOptions>`.
 */

import { nearestOf } from "../protobuf/nearest-name.ts";

/** Values whose kind is all there is to check. */
type OptionKind = "function" | "boolean" | "string" | "array";

/**
 * What a name stands for: a value of a kind, one that is checked where it is used, any at all, null too, or an object with
 * names of its own.
 */
type OptionRule = true | "any" | OptionKind | OptionNames;

export interface OptionNames {
  readonly [name: string]: OptionRule;
}

/** The table of exactly these options. */
export type OptionTable<Options> = { readonly [Name in keyof Required<Options>]: OptionRule };

const KINDS: Readonly<Record<OptionKind, string>> = {
  function: "a function",
  boolean: "true or false",
  string: "a string",
  array: "an array",
};

/** What other libraries call the same thing. */
const FOREIGN_NAMES: Readonly<Record<string, string>> = {
  "grpc.max_receive_message_length": "maxReceiveMessageBytes",
  "grpc.max_concurrent_streams": "http2.maxConcurrentStreams",
  "grpc.max_metadata_size": "http2.maxHeaderListBytes",
  "grpc.keepalive_time_ms": "keepalive.timeMs",
  "grpc.keepalive_timeout_ms": "keepalive.timeoutMs",
  "grpc.keepalive_permit_without_calls": "keepalive.withoutCalls",
  "grpc.max_connection_age_ms": "maxConnectionAgeMs",
  "grpc.max_connection_age_grace_ms": "maxConnectionAgeGraceMs",
  "grpc.max_connection_idle_ms": "maxConnectionIdleMs",
  "grpc.default_authority": "authority",
  "grpc.primary_user_agent": "userAgent",
  "grpc.enable_retries": "retry",
  "grpc.default_compression_algorithm": "compression.send",
  credentials: "tls",
  credential: "tls",
  ssl: "tls",
  timeout: "timeoutMs",
  middleware: "interceptors",
  headers: "metadata",
};

/** The names of a table that has more to say of each: `namesOf(SERVER_LIMITS)`. */
export function namesOf<Table extends object>(table: Table): { readonly [Name in keyof Table]: true } {
  return Object.fromEntries(Object.keys(table).map((name) => [name, true])) as { [Name in keyof Table]: true };
}

/**
 * Throws TypeError where `given` is no object, has a name that `table` has not, or a value of another kind than the table
 * says. `where` is what the user called: "new Server()". Undefined passes, and so does each option that is undefined: it
 * counts as left out. Null does not.
 */
export function checkOptions(where: string, given: unknown, table: OptionNames): void {
  if (given === undefined) return;
  checkObject(where, given, table);
  for (const [name, value] of Object.entries(given as object)) {
    const rule = Object.hasOwn(table, name) ? table[name] : undefined;
    if (rule === undefined) throw new TypeError(`${where}: ${unknownName(name, "option", table)}`);
    if (value !== undefined) checkValue(where, name, value, rule);
  }
}

/** Throws TypeError for a value of another kind than the rule says. */
export function checkValue(where: string, name: string, value: unknown, rule: OptionRule): void {
  if (rule === "any") return;
  if (typeof rule === "object") checkOptions(`${where}: ${name}`, value, rule);
  else if (value === null) throw new TypeError(`${where}: ${name}: null given; leave the option out for its default`);
  else if (rule !== true && !isOfKind(value, rule)) {
    throw new TypeError(`${where}: ${name}: ${describeGiven(value)} given, ${KINDS[rule]} is allowed`);
  }
}

/** Whether a value can be an object of options: no array, map, error, date, URL or other object with a meaning of its own. */
export function isOptionsObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null || Symbol.iterator in value) return false;
  const kind = Object.prototype.toString.call(value);
  return kind === "[object Object]" || kind === "[object Module]";
}

/** The words for a name that is not in the table: what was given, the nearest name, what is allowed. */
export function unknownName(name: string, what: string, table: OptionNames): string {
  const nearest = nearestName(name, table);
  const advice = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  const names = Object.keys(table);
  const allowed = names.length === 0 ? "none is allowed" : `allowed: ${names.join(", ")}`;
  return `there is no ${what} ${JSON.stringify(name)}${advice} (${allowed})`;
}

function checkObject(where: string, given: unknown, table: OptionNames): void {
  if (isOptionsObject(given)) return;
  const names = Object.keys(table).join(", ");
  throw new TypeError(`${where}: ${describeGiven(given)} given, an object with options is allowed: { ${names} }`);
}

function isOfKind(value: unknown, kind: OptionKind): boolean {
  return kind === "array" ? Array.isArray(value) : typeof value === kind;
}

/** A value in an error text: short, nothing of what is inside of an object, which may hold secrets, nor of a key. */
export function describeGiven(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "string" && value.includes("-----BEGIN ")) return "PEM text";
  if (typeof value === "string")
    return `the string ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`;
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  if (typeof value === "object") return `an object (${value.constructor?.name ?? "without a class"})`;
  return `the ${typeof value} ${String(value)}`;
}

/** The name of the table that this one is probably meant to be. */
export function nearestName(name: string, table: OptionNames): string | undefined {
  const known = Object.hasOwn(FOREIGN_NAMES, name) ? FOREIGN_NAMES[name] : undefined;
  if (known !== undefined && Object.hasOwn(table, known.split(".")[0]!)) return known;
  return nearestOf(name, Object.keys(table));
}
