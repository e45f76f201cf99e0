/**
 * Percent-encoding of `grpc-message`.
 *
 * Must not know: the header it is put into.
 * Invariants: the encoder's output is printable ASCII that neither starts nor ends with a space; the decoder accepts every
 * text and never fails, since a broken message must not cost the caller the status beside it.
 * Spec: gRPC PROTOCOL-HTTP2 "Status-Message"; RFC 9113 §8.2.1.
 */

/** 0x20-0x24 and 0x26-0x7E go as they are, except that RFC 9113 §8.2.1 forbids a space at either end of a value. */
const NEEDS_ENCODING = /[^\x20-\x24\x26-\x7e]|^ | $/;
const NEEDS_DECODING = /[%\x80-\xff]/;

const PERCENT = 0x25;
const SPACE = 0x20;
const TILDE = 0x7e;

/** UTF-8, then percent-encoded. A lone surrogate becomes U+FFFD. */
export function encodeStatusMessage(text: string): string {
  if (!NEEDS_ENCODING.test(text)) return text;
  const bytes = Buffer.from(text, "utf8");
  const last = bytes.length - 1;
  let encoded = "";
  for (let index = 0; index <= last; index++) {
    const byte = bytes[index] as number;
    const isEdgeSpace = byte === SPACE && (index === 0 || index === last);
    const isPlain = byte >= SPACE && byte <= TILDE && byte !== PERCENT && !isEdgeSpace;
    encoded += isPlain ? String.fromCharCode(byte) : `%${byte < 16 ? "0" : ""}${byte.toString(16).toUpperCase()}`;
  }
  return encoded;
}

/** Stands where the rest of a message was left out. */
export const CUT_MARK = "...[cut]";

/**
 * The beginning of `text`, encoded, and {@link CUT_MARK}: at most `maxBytes` together, and never a part of a character. Undefined
 * where there is no room for the mark. Reads no more of the text than fits.
 */
export function encodeCutMessage(text: string, maxBytes: number): { value: string; characters: number } | undefined {
  let room = maxBytes - CUT_MARK.length;
  if (room < 0) return undefined;
  let characters = 0;
  while (characters < text.length) {
    const code = text.codePointAt(characters)!;
    room -= encodedBytes(code, characters === 0);
    if (room < 0) break;
    characters += code > 0xffff ? 2 : 1;
  }
  return { value: encodeStatusMessage(text.slice(0, characters) + CUT_MARK), characters };
}

/** A lone surrogate becomes U+FFFD, which has three bytes of UTF-8 as well. */
function encodedBytes(code: number, isFirst: boolean): number {
  if (code < 0x80) {
    const isPlain = code >= SPACE && code <= TILDE && code !== PERCENT && !(isFirst && code === SPACE);
    return isPlain ? 1 : 3;
  }
  if (code < 0x800) return 6;
  return code < 0x1_0000 ? 9 : 12;
}

/**
 * The text of a header value (a latin1 string). A `%` without two hexadecimal digits stays as it is, octets that were
 * not encoded although they should have been are taken as UTF-8, and what is no UTF-8 becomes U+FFFD.
 */
export function decodeStatusMessage(value: string): string {
  if (!NEEDS_DECODING.test(value)) return value;
  const bytes = Buffer.from(value, "latin1");
  let length = 0;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] as number;
    const high = byte === PERCENT ? hexDigit(bytes[index + 1]) : -1;
    const low = high === -1 ? -1 : hexDigit(bytes[index + 2]);
    if (low === -1) {
      bytes[length++] = byte;
    } else {
      bytes[length++] = high * 16 + low;
      index += 2;
    }
  }
  return bytes.toString("utf8", 0, length);
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
