/**
 * Values that users give, whichever realm made them. Owns telling what they are without `instanceof`, which is false for what
 * a vm context, a test runner's sandbox or a fake clock made.
 */

/** Whether `value` is an error. */
export function isErrorLike(value: unknown): value is Error {
  if (typeof value !== "object" || value === null) return false;
  const { name, message } = value as { readonly name?: unknown; readonly message?: unknown };
  return typeof name === "string" && typeof message === "string";
}

/** The message of an error, and any other value as text. Never throws. */
export function textOfThrown(value: unknown): string {
  if (isErrorLike(value)) return value.message;
  try {
    return String(value);
  } catch {
    return "a value that has no text";
  }
}

/** For a log: the stack of an error where it has one. Never throws. */
export function stackOfThrown(value: unknown): string {
  return isErrorLike(value) && typeof value.stack === "string" ? value.stack : textOfThrown(value);
}

export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || (ArrayBuffer.isView(value) && tagOf(value) === "[object Uint8Array]");
}

export function isDate(value: unknown): value is Date {
  return typeof value === "object" && value !== null && typeof (value as Partial<Date>).getTime === "function";
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}
