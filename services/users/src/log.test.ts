import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLogger, LOG_LEVELS, type LogLevel } from "./log.ts";

function entriesAt(level: LogLevel): Record<string, unknown>[] {
  const lines: string[] = [];
  const logger = createLogger({ level, write: (line) => lines.push(line), now: () => new Date(0) });
  logger.error("e", { code: 1 });
  logger.warn("w");
  logger.info("i");
  logger.debug("d");
  return lines.map((line) => {
    assert.ok(line.endsWith("\n"));
    return JSON.parse(line) as Record<string, unknown>;
  });
}

describe("the log", () => {
  it("writes one JSON object a line with time, level, message and fields", () => {
    assert.deepEqual(entriesAt("error"), [{ time: "1970-01-01T00:00:00.000Z", level: "error", message: "e", code: 1 }]);
  });

  it("writes lines that are safe to print and keep the value: no control character, no line break, no turned text", () => {
    const lines: string[] = [];
    const logger = createLogger({ level: "info", write: (line) => lines.push(line) });
    const room = "\x1b[2J\x9b31m\x7f\r\n\u2028\u202etxt.exe\u2066";
    logger.info(room, { room });
    const [line = ""] = lines;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    assert.doesNotMatch(line.slice(0, -1), /[\0-\x1f\x7f-\x9f\u2028\u202e\u2066]/);
    const { message, room: read } = JSON.parse(line) as Record<string, unknown>;
    assert.deepEqual([message, read], [room, room]);
  });

  it("writes what is at its level or more important", () => {
    for (const [index, level] of LOG_LEVELS.entries()) assert.equal(entriesAt(level).length, index);
  });
});
