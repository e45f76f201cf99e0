import assert from "node:assert/strict";
import { test } from "node:test";
import type { Http2Connection } from "../http2/index.ts";
import { FaultTotals } from "./fault-totals.ts";

const connection = (...counts: [string, number][]): Http2Connection =>
  ({ faultCounts: new Map(counts) }) as unknown as Http2Connection;

test("faults of live and gone connections are summed by cause, and ordinary ends are none", () => {
  const totals = new FaultTotals();
  totals.count("too-many-connections");
  totals.addGone(connection(["ping-flood", 1], ["closed", 1]));
  totals.addGone(connection(["ping-flood", 2], ["transport-closed", 1]));
  const live = [connection(["ping-flood", 4], ["settings", 3])];
  assert.deepEqual(totals.snapshot(live), { "too-many-connections": 1, "ping-flood": 7, settings: 3 });
  assert.deepEqual(totals.snapshot([]), { "too-many-connections": 1, "ping-flood": 3 });
});
