// Owns: the limit that a flood's p99 must stay under, and which runs do not count.

import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "../lib/targets.ts";
import type { ProbeReport } from "./protocol.ts";
import { createLatencyTarget, findFloodVoidReason } from "./verdict.ts";

const quiet: ProbeReport = { calls: 100, failed: 0, p50Ms: 1, p99Ms: 2, maxMs: 3, p99LateMs: 1 };

test("a quiet p99 of few milliseconds may grow by ten, a long one may double", () => {
  assert.equal(createLatencyTarget("PING", 2).must, 12);
  assert.equal(createLatencyTarget("PING", 10).must, 20);
  assert.equal(createLatencyTarget("PING", 40).must, 80);
});

test("the row is judged by the flooded p99 and names its flood", () => {
  const target = createLatencyTarget("PING", 2);
  assert.equal(judge(target, { ours: 12, theirs: 2 }).pass, true);
  assert.equal(judge(target, { ours: 12.1, theirs: 2 }).pass, false);
  assert.equal(target.scenario, "flood: PING");
});

test("an attack that sent nothing, and a probe that was late itself, say nothing", () => {
  const target = createLatencyTarget("PING", quiet.p99Ms);
  const slow: ProbeReport = { ...quiet, p99Ms: 13 };
  assert.equal(findFloodVoidReason(quiet, { ...slow, p99LateMs: 5.9 }, 1, target), undefined);
  assert.match(findFloodVoidReason(quiet, { ...slow, p99LateMs: 6.5 }, 1, target) ?? "", /5\.5 ms later/);
  assert.match(findFloodVoidReason(quiet, quiet, 0, target) ?? "", /send nothing/);
});

test("a time that is within the limit although the probe was late counts", () => {
  const target = createLatencyTarget("PING", quiet.p99Ms);
  assert.equal(findFloodVoidReason(quiet, { ...quiet, p99Ms: 12, p99LateMs: 9 }, 1, target), undefined);
});
