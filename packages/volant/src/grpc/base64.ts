/**
 * Base64 as gRPC puts it into the values of `-bin` headers: out without padding, in with or without it.
 *
 * Must not know: which header the value belongs to.
 * Invariant: a text is decoded only when it is valid as a whole; `Buffer` alone would skip what it does not understand.
 * Spec: gRPC PROTOCOL-HTTP2 "Custom-Metadata", RFC 4648 §4.
 */

const ALPHABET_THEN_PADDING = /^[A-Za-z0-9+/]*={0,2}$/;

/** The bytes in standard base64 without padding. */
export function encodeBase64(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  const padding = (3 - (bytes.byteLength % 3)) % 3;
  return padding === 0 ? text : text.slice(0, -padding);
}

/** Whether `decodeBase64` would succeed. Padding is optional, but where there is some it must be complete. */
export function isBase64(text: string): boolean {
  if (!ALPHABET_THEN_PADDING.test(text)) return false;
  const remainder = text.length % 4;
  return text.endsWith("=") ? remainder === 0 : remainder !== 1;
}

/** The bytes, or `undefined` when the text is not base64. */
export function decodeBase64(text: string): Uint8Array | undefined {
  return isBase64(text) ? Buffer.from(text, "base64") : undefined;
}
