import assert from "node:assert/strict";
import { test } from "node:test";
import { RunningHandlers } from "./running-handlers.ts";

test("whoever waits goes on when the last handler has finished, or when waiting is given up", async () => {
  const running = new RunningHandlers();
  await running.whenIdle();
  running.begin();
  running.begin();
  const order: string[] = [];
  const idle = running.whenIdle().then(() => order.push("idle"));
  running.end();
  await Promise.resolve();
  order.push("one left");
  running.end();
  await idle;
  assert.deepEqual(order, ["one left", "idle"]);
  running.begin();
  const givenUp = running.whenIdle();
  running.giveUp();
  await givenUp;
  assert.equal(running.size, 1);
});
