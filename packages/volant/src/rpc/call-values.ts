/**
 * Typed values that interceptors hang on a call for handlers to read: the caller's identity, a request id. Owns keys and
 * storage; made only when a call is first asked for one.
 */

export interface CallValueKey<T> {
  readonly description: string;
  readonly defaultValue: T;
}

/** A key is its own identity: two keys with one description are two values. */
export function createCallValueKey<T>(description: string, defaultValue: T): CallValueKey<T> {
  return Object.freeze({ description, defaultValue });
}

export class CallValues {
  private readonly values = new Map<CallValueKey<unknown>, unknown>();

  /** The value set, or the key's default. */
  get<T>(key: CallValueKey<T>): T {
    return this.values.has(key) ? (this.values.get(key) as T) : key.defaultValue;
  }

  set<T>(key: CallValueKey<T>, value: T): this {
    this.values.set(key, value);
    return this;
  }

  delete(key: CallValueKey<unknown>): boolean {
    return this.values.delete(key);
  }
}
