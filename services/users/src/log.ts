/**
 * The service's log: one JSON line an entry, on stderr, since stdout belongs to the ready line. Owns levels and the
 * shape of a line. Fields are written as given, so callers pass no tokens, bodies or SQL.
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

export function createLogger({ level, write, now = () => new Date() }: LoggerOptions): Logger {
  const threshold = LOG_LEVELS.indexOf(level);
  const at = (entryLevel: Exclude<LogLevel, "silent">) => {
    if (LOG_LEVELS.indexOf(entryLevel) > threshold) return () => undefined;
    return (message: string, fields?: LogFields) =>
      write(`${JSON.stringify({ time: now().toISOString(), level: entryLevel, message, ...fields })}\n`);
  };
  return { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") };
}
