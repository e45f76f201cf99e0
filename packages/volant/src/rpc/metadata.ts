/**
 * `Metadata`: the key-value pairs that travel beside the messages of a call, as headers or as trailers.
 *
 * Must not know: base64 and header fields beyond handing them to `grpc/metadata-codec.ts`.
 * Invariants: keys are lower case and legal, values fit their key; nothing an application can add is reserved for the
 * protocol; insertion order and duplicates are kept; copies share storage until one of them changes.
 * Spec: gRPC PROTOCOL-HTTP2 "Custom-Metadata".
 */

import { type Field, isReservedName } from "../grpc/header-names.ts";
import {
  decodeMetadata,
  isAsciiValue,
  isBinaryKey,
  isMetadataKey,
  type MetadataEntry,
  type MetadataValue,
} from "../grpc/metadata-codec.ts";
import { isBytes } from "./foreign-values.ts";

export type { MetadataEntry, MetadataValue };

/** `Uint8Array` for a literal key that ends in `-bin`, `string` for other literals, either for a computed key. */
export type MetadataValueOf<Key extends string> = string extends Key
  ? MetadataValue
  : Lowercase<Key> extends `${string}-bin`
    ? Uint8Array
    : string;

/** What is accepted wherever metadata is given: `{ "x-tenant": "a", "trace-bin": bytes, tags: ["a", "b"] }`. */
export type MetadataInit =
  | Metadata
  | Readonly<Record<string, MetadataValue | readonly MetadataValue[]>>
  | Iterable<MetadataEntry>;

const NO_ENTRIES: MetadataEntry[] = [];

/**
 * Keys are case-insensitive and stored in lower case. Values are printable ASCII text, or bytes (kept by reference) where
 * the key ends in `-bin`. Spaces at either end of a text are lost on the wire.
 */
export class Metadata implements Iterable<MetadataEntry> {
  #entries: MetadataEntry[] = NO_ENTRIES;
  /** Another instance may hold `#entries` too: copy before changing. */
  #shared = true;

  /** A new `Metadata`; changing it never changes `init`. Throws TypeError as `append` does. */
  static from(init: MetadataInit): Metadata {
    // Metadata of another copy of the package is iterated, as any other list of entries is.
    checkInit(init);
    return #entries in init ? init.clone() : new Metadata().merge(init);
  }

  /**
   * Metadata of received fields, without the protocol's own. Internal: the fields must have passed
   * `findMetadataFault`; a fault here is the runtime's mistake and throws.
   */
  static fromWire(fields: Iterable<Field>): Metadata {
    const { entries, fault } = decodeMetadata(fields);
    if (fault !== undefined) throw new TypeError(`received metadata was not checked before it was read: ${fault}`);
    const metadata = new Metadata();
    if (entries.length > 0) metadata.#adopt(entries);
    return metadata;
  }

  /** How many entries there are; a key with two values counts twice. */
  get size(): number {
    return this.#entries.length;
  }

  /** The first value of `key`. */
  get<Key extends string>(key: Key): MetadataValueOf<Key> | undefined {
    const name = key.toLowerCase();
    for (const entry of this.#entries) if (entry[0] === name) return entry[1] as MetadataValueOf<Key>;
    return undefined;
  }

  /** Every value of `key`, oldest first. */
  getAll<Key extends string>(key: Key): MetadataValueOf<Key>[] {
    const name = key.toLowerCase();
    const values: MetadataValueOf<Key>[] = [];
    for (const entry of this.#entries) if (entry[0] === name) values.push(entry[1] as MetadataValueOf<Key>);
    return values;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** Replaces every value of `key`, in the place of the first. Throws TypeError as `append` does. */
  set<Key extends string>(key: Key, value: MetadataValueOf<Key>): this {
    const entry = toEntry(key, value);
    const at = this.#entries.findIndex(([name]) => name === entry[0]);
    if (at === -1) {
      this.#own().push(entry);
    } else {
      const rest = this.#entries.filter(([name], index) => index > at && name !== entry[0]);
      this.#adopt([...this.#entries.slice(0, at), entry, ...rest]);
    }
    return this;
  }

  /**
   * Adds a value after those that `key` has. Throws TypeError when the key is illegal or reserved for the protocol, or
   * when the value does not fit the key.
   */
  append<Key extends string>(key: Key, value: MetadataValueOf<Key>): this {
    this.#own().push(toEntry(key, value));
    return this;
  }

  /** Removes every value of `key`; whether there was one. */
  delete(key: string): boolean {
    const name = key.toLowerCase();
    const kept = this.#entries.filter((entry) => entry[0] !== name);
    if (kept.length === this.#entries.length) return false;
    this.#adopt(kept);
    return true;
  }

  clone(): Metadata {
    const copy = new Metadata();
    copy.#entries = this.#entries;
    this.#shared = true;
    return copy;
  }

  /** Appends everything in `other`, all of it or, when that throws TypeError, nothing. */
  merge(other: MetadataInit): this {
    checkInit(other);
    const added = #entries in other ? other.#entries : toEntries(other);
    if (added.length > 0) this.#adopt([...this.#entries, ...added]);
    return this;
  }

  [Symbol.iterator](): IterableIterator<MetadataEntry> {
    return this.#entries.values();
  }

  #adopt(entries: MetadataEntry[]): void {
    this.#entries = entries;
    this.#shared = false;
  }

  #own(): MetadataEntry[] {
    if (this.#shared) this.#adopt([...this.#entries]);
    return this.#entries;
  }
}

function toEntries(init: Exclude<MetadataInit, Metadata>): MetadataEntry[] {
  if (isIterable(init)) return Array.from(init, entryOf);
  const entries: MetadataEntry[] = [];
  for (const [key, given] of Object.entries(init)) {
    if (Array.isArray(given)) for (const value of given as readonly MetadataValue[]) entries.push(toEntry(key, value));
    else entries.push(toEntry(key, given as MetadataValue));
  }
  return entries;
}

/** Throws TypeError for what holds no keys and values. */
function checkInit(init: unknown): void {
  const isThenable = typeof (init as { readonly then?: unknown } | null | undefined)?.then === "function";
  if (typeof init === "object" && init !== null && !isThenable) return;
  throw new TypeError(
    `metadata: ${kindOf(init)} given; it takes { key: value }, a Metadata, or a list of entries [key, value]`,
  );
}

/** A text in the place of an entry would be taken apart into its letters. */
function entryOf(given: unknown): MetadataEntry {
  if (Array.isArray(given) && given.length === 2) return toEntry(given[0], given[1]);
  throw new TypeError(`metadata: ${kindOf(given)} given as an entry; an entry of a list is [key, value]`);
}

function isIterable(init: object): init is Iterable<MetadataEntry> {
  return Symbol.iterator in init;
}

function toEntry(key: string, value: MetadataValue): MetadataEntry {
  const name = String(key).toLowerCase();
  if (isReservedName(name)) {
    throw new TypeError(
      `metadata key "${key}" is reserved for the protocol; choose a name without the prefixes "grpc-" and ":" that is no ` +
        "connection-level header of HTTP",
    );
  }
  if (!isMetadataKey(name)) {
    throw new TypeError(
      `metadata key ${JSON.stringify(key)} is not allowed; a key consists of letters, digits, "_", "-" and "."`,
    );
  }
  checkValue(name, value);
  return [name, value];
}

/** Values may be secrets, so the messages say where and what kind, never the text. */
function checkValue(name: string, value: MetadataValue): void {
  if (isBinaryKey(name)) {
    if (isBytes(value)) return;
    throw new TypeError(
      `metadata "${name}" was given ${kindOf(value)}; a key that ends in "-bin" takes a Uint8Array, text takes a key without "-bin"`,
    );
  }
  if (typeof value !== "string") {
    throw new TypeError(
      `metadata "${name}" was given ${kindOf(value)}; it takes a string, bytes take a key that ends in "-bin"`,
    );
  }
  if (isAsciiValue(value)) return;
  const at = value.search(/[^\x20-\x7e]/);
  const code = (value.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  throw new TypeError(
    `metadata "${name}" has U+${code} at index ${at}; a text takes printable ASCII (0x20 to 0x7E), anything else goes as a ` +
      `Uint8Array under a key that ends in "-bin"`,
  );
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? (value.constructor?.name ?? "an object") : `a ${typeof value}`;
}
