// Owns: the limit that a flood's p99 must stay under, and which runs do not count.

import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "../lib/targets.ts";
import type { AttackReport, ProbeReport } from "./protocol.ts";
import { type Attack, createLatencyTarget, type FloodRun, findFloodVoidReason } from "./verdict.ts";

const quiet: ProbeReport = { calls: 100, failed: 0, p50Ms: 1, p99Ms: 2, maxMs: 3, p99LateMs: 1 };
const attacked: AttackReport = { connections: 4, frames: 100, bytes: 1_000, stalled: 0, ended: 0 };
const PING: Attack = { flood: "PING", style: "reckless", transport: "cleartext" };
const target = createLatencyTarget(PING, quiet.p99Ms);
const run: FloodRun = { quiet, flooded: quiet, attacked, style: "reckless", target };

test("a quiet p99 of few milliseconds may grow by ten, a long one may double", () => {
  assert.equal(createLatencyTarget(PING, 2).must, 12);
  assert.equal(createLatencyTarget(PING, 10).must, 20);
  assert.equal(createLatencyTarget(PING, 40).must, 80);
});

test("the row is judged by the flooded p99 and names its flood", () => {
  const target = createLatencyTarget(PING, 2);
  assert.equal(judge(target, { ours: 12, theirs: 2 }).pass, true);
  assert.equal(judge(target, { ours: 12.1, theirs: 2 }).pass, false);
  assert.equal(target.scenario, "flood: PING");
  assert.equal(createLatencyTarget({ ...PING, style: "patient" }, 2).scenario, "flood: PING, under the limits");
  const overTls = createLatencyTarget({ ...PING, transport: "tls" }, 2);
  assert.equal(overTls.scenario, "flood over TLS: PING");
  assert.equal(overTls.must, target.must);
});

test("an attack that sent nothing, and a probe that was late itself, say nothing", () => {
  const slow: ProbeReport = { ...quiet, p99Ms: 13 };
  assert.equal(findFloodVoidReason({ ...run, flooded: { ...slow, p99LateMs: 5.9 } }), undefined);
  assert.match(findFloodVoidReason({ ...run, flooded: { ...slow, p99LateMs: 6.5 } }) ?? "", /5\.5 ms later/);
  assert.match(findFloodVoidReason({ ...run, attacked: { ...attacked, frames: 0 } }) ?? "", /send nothing/);
});

test("a time that is within the limit although the probe was late counts", () => {
  assert.equal(findFloodVoidReason({ ...run, flooded: { ...quiet, p99Ms: 12, p99LateMs: 9 } }), undefined);
});

test("an attacker that keeps to the limits and is ended all the same was no patient one", () => {
  const ended = { ...run, attacked: { ...attacked, ended: 2 } };
  assert.equal(findFloodVoidReason(ended), undefined);
  assert.match(findFloodVoidReason({ ...ended, style: "patient" }) ?? "", /ended 2 connections/);
});
