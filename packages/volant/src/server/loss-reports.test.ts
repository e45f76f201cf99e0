import assert from "node:assert/strict";
import { test } from "node:test";
import { LossReports } from "./loss-reports.ts";

const lossOf = (wantedBytes: number) => ({ wantedBytes, text: "" });

test("a status larger than anyone takes is reported each time, one too large for a small client once a second", () => {
  const reports = new LossReports(16_384);
  assert.deepEqual(
    [0, 1, 2].map((nowMs) => reports.isDue(lossOf(16_385), true, nowMs)),
    [true, true, true],
  );
  assert.equal(reports.isDue(lossOf(16_384), false, 10), true);
  assert.equal(reports.isDue(lossOf(16_384), false, 1_009), false, "another client, too soon");
  assert.equal(reports.isDue(lossOf(16_384), true, 5_000), false, "the same client");
  assert.equal(reports.isDue(lossOf(16_384), false, 5_000), true);
});
