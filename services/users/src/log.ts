/**
 * The service's log: one JSON line an entry, on stderr, since stdout belongs to the ready line. Owns levels and the
 * shape of a line. Fields are written as given, so callers pass no tokens, bodies or SQL.
 *
 * A line is printable whatever the fields hold: JSON escapes line breaks and most control characters; those that it leaves
 * (DEL, C1, and what changes the direction of text or breaks lines in some viewers) are escaped here. Its value is the same.
 */

/** From the quietest on; each level includes those before it. */
export const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Takes a line with its line break. */
  readonly write: (line: string) => void;
  readonly now?: () => Date;
}

const LEFT_BY_JSON = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function lineOf(entry: LogFields): string {
  return JSON.stringify(entry).replace(
    LEFT_BY_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

export function createLogger({ level, write, now = () => new Date() }: LoggerOptions): Logger {
  const threshold = LOG_LEVELS.indexOf(level);
  const at = (entryLevel: Exclude<LogLevel, "silent">) => {
    if (LOG_LEVELS.indexOf(entryLevel) > threshold) return () => undefined;
    return (message: string, fields?: LogFields) =>
      write(`${lineOf({ time: now().toISOString(), level: entryLevel, message, ...fields })}\n`);
  };
  return { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") };
}
