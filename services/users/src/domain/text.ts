/**
 * Questions about caller-given text: its length as the database counts it, and characters that cannot be stored or
 * shown. Knows no field and no limit. Everything here is linear in the length of the text and stops early.
 */

/** Whether `text` has more than `max` code points. Looks at no more of it than it must. */
export function isLongerThan(text: string, max: number): boolean {
  if (text.length <= max) return false;
  if (text.length > max * 2) return true;
  let count = 0;
  for (const _ of text) if (++count > max) return true;
  return false;
}

/** C0 and C1 control characters and DEL (line breaks, escape sequences, NUL), or half of a surrogate pair. */
export function hasControlCharacters(text: string): boolean {
  if (!text.isWellFormed()) return true;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  }
  return false;
}

export function hasOuterWhitespace(text: string): boolean {
  return text.trim() !== text;
}

/** For messages: the text in quotes, cut after `max` code units, so that an answer never carries a caller's megabytes. */
export function quoted(text: string, max = 64): string {
  return text.length <= max ? JSON.stringify(text) : `${JSON.stringify(text.slice(0, max))}…`;
}
