// Owns: what is read from /proc.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { parseProcessorSeconds, readProcessorSeconds, readResidentBytes } from "./process-usage.ts";

const linuxOnly = { skip: process.platform !== "linux" && "reads /proc" };

test("processor time is found behind a file name with spaces and parentheses", () => {
  const stat = "42 (a) b (c) R 1 42 42 0 -1 4194304 100 0 0 0 150 25 0 0 20 0 11 0 5 0";
  assert.equal(parseProcessorSeconds(stat), 1.75);
  assert.equal(parseProcessorSeconds("42 (a) R"), undefined);
});

test("this process has memory and has used processor time", linuxOnly, () => {
  assert.ok(readResidentBytes(process.pid)! > 10e6);
  assert.ok(readProcessorSeconds(process.pid)! >= 0);
});

test("a process that has ended reads as undefined", linuxOnly, async () => {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(child, "exit");
  assert.equal(readResidentBytes(child.pid!), undefined);
  assert.equal(readProcessorSeconds(child.pid!), undefined);
});
