/**
 * Text of a peer made fit for a terminal or a log. Owns which characters are dangerous there: control characters (an escape
 * sequence can retitle a terminal, colour a line as another or wipe the one above), and those that change the direction of
 * text or break lines in some viewers only, so that what is read is not what is there.
 *
 * Line feed and tab stay: texts of several lines are common and harmless. Carriage return does not: it overwrites its line.
 * Must not be used for values, only for what is printed.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const DANGEROUS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const ALL_DANGEROUS = new RegExp(DANGEROUS, "g");

/** Dangerous characters as JSON writes them: `\u001b`. The same string where there are none. */
export function printable(text: string): string {
  return DANGEROUS.test(text) ? text.replace(ALL_DANGEROUS, escapeOf) : text;
}

/** A peer's text inside a sentence: in quotes, one line, cut. It goes back in a header and into logs. */
export function quote(text: string): string {
  return printable(JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text));
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
