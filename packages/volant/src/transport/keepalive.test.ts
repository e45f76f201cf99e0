/** gRFC A8, on the times that the wheel would give. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Driver } from "./driver.ts";
import { KEEPALIVE_TIMEOUT, Keepalive, type KeepaliveOptions } from "./keepalive.ts";
import { timerWheel } from "./timer-wheel.ts";

function setUp(options: Partial<KeepaliveOptions> = {}) {
  const log: string[] = [];
  const http2 = { isClosed: false, streamCount: 1, sendPing: (opaque: number) => log.push(`ping ${opaque}`) };
  const driver = {
    http2,
    lastReadMs: 0,
    inputMark: 0,
    handledBytes: 0,
    isHandled: (inputMark: number) => driver.handledBytes >= inputMark,
    close(fault: unknown) {
      log.push(fault === KEEPALIVE_TIMEOUT ? "closed: keepalive-timeout" : "closed");
      http2.isClosed = true;
    },
  };
  const keepalive = new Keepalive(driver as unknown as Driver, {
    timeMs: 100_000,
    timeoutMs: 20_000,
    withoutCalls: false,
    ...options,
  });
  return { log, http2, driver, keepalive };
}

test("gRPC detail 29: silence brings a PING, and silence after it the end", (t) => {
  const { log, keepalive } = setUp();
  t.after(() => keepalive.stop());
  keepalive.onTimer(100_000);
  assert.deepEqual(log, ["ping 0"]);
  assert.equal(keepalive.dueMs, 120_000);
  keepalive.onTimer(120_000);
  assert.deepEqual(log, ["ping 0", "closed: keepalive-timeout"]);
});

test("a process that stood still reads first what came meanwhile, and does not wait for ever", (t) => {
  const { log, driver, keepalive } = setUp();
  t.after(() => keepalive.stop());
  keepalive.onTimer(100_000);
  keepalive.onTimer(150_000);
  assert.deepEqual(log, ["ping 0"]);
  assert.equal(keepalive.dueMs, 151_000);
  driver.lastReadMs = 150_010;
  keepalive.onTimer(151_000);
  assert.deepEqual(log, ["ping 0"]);
  keepalive.onTimer(250_010);
  keepalive.onTimer(300_000);
  keepalive.onTimer(301_000);
  assert.deepEqual(log, ["ping 0", "ping 1", "closed: keepalive-timeout"]);
});

test("any octet after the PING keeps the connection", (t) => {
  const { log, driver, keepalive } = setUp();
  t.after(() => keepalive.stop());
  keepalive.onTimer(100_000);
  driver.lastReadMs = 100_001;
  keepalive.onTimer(120_000);
  assert.deepEqual(log, ["ping 0"]);
  assert.equal(keepalive.dueMs, 200_001);
  keepalive.onTimer(200_001);
  assert.deepEqual(log, ["ping 0", "ping 1"]);
});

test("a connection that was read is left alone until it has been silent for the whole time", (t) => {
  const { log, driver, keepalive } = setUp();
  t.after(() => keepalive.stop());
  driver.lastReadMs = 60_000;
  keepalive.onTimer(100_000);
  assert.deepEqual(log, []);
  assert.equal(keepalive.dueMs, 160_000);
});

test("an answer that was read and waits for its turn keeps the connection, however long that takes", (t) => {
  const { log, driver, keepalive } = setUp();
  t.after(() => keepalive.stop());
  keepalive.onTimer(100_000);
  driver.inputMark = 17;
  for (let nowMs = 120_000; nowMs < 150_000; nowMs += 1_000) keepalive.onTimer(nowMs);
  assert.deepEqual(log, ["ping 0"]);
  driver.handledBytes = 17;
  driver.lastReadMs = 149_500;
  keepalive.onTimer(150_000);
  assert.deepEqual(log, ["ping 0"]);
  assert.equal(keepalive.dueMs, 249_500);
});

test("without calls there is no PING, unless it was asked for", (t) => {
  const quiet = setUp();
  quiet.http2.streamCount = 0;
  quiet.keepalive.onTimer(100_000);
  assert.deepEqual(quiet.log, []);
  assert.equal(quiet.keepalive.dueMs, 200_000);
  const always = setUp({ withoutCalls: true });
  always.http2.streamCount = 0;
  always.keepalive.onTimer(100_000);
  assert.deepEqual(always.log, ["ping 0"]);
  t.after(() => {
    quiet.keepalive.stop();
    always.keepalive.stop();
  });
});

test("start arms and stop disarms; an infinite time never arms", () => {
  const before = timerWheel.size;
  const { keepalive } = setUp();
  keepalive.start();
  assert.equal(timerWheel.size, before + 1);
  keepalive.stop();
  assert.equal(timerWheel.size, before);
  setUp({ timeMs: Number.POSITIVE_INFINITY }).keepalive.start();
  assert.equal(timerWheel.size, before);
});

test("nothing happens once the connection is closed", () => {
  const { log, http2, keepalive } = setUp();
  http2.isClosed = true;
  keepalive.onTimer(100_000);
  assert.deepEqual(log, []);
  assert.equal(keepalive.dueMs, Number.POSITIVE_INFINITY);
});
