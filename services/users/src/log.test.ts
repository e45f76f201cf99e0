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

  it("writes what is at its level or more important", () => {
    for (const [index, level] of LOG_LEVELS.entries()) assert.equal(entriesAt(level).length, index);
  });
});
