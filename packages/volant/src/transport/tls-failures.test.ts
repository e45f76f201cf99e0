import assert from "node:assert/strict";
import { test } from "node:test";
import { timerWheel } from "./timer-wheel.ts";
import { HandshakeFailures, type TlsHandshakeError } from "./tls-failures.ts";

function record(): { failures: HandshakeFailures; told: string[] } {
  const told: string[] = [];
  return { failures: new HandshakeFailures((error: TlsHandshakeError) => told.push(error.message)), told };
}

const failure = (reason: string) => ({ peer: "192.0.2.1:5", reason, cause: undefined });

test("the first failure is told at once, those of the next second together at its end", () => {
  const { failures, told } = record();
  failures.add(failure("one"));
  assert.deepEqual(told.splice(0), ["the TLS handshake with 192.0.2.1:5: one"]);
  for (const reason of ["two", "three", "four"]) failures.add(failure(reason));
  assert.deepEqual(told, []);
  failures.onTimer();
  assert.deepEqual(told.splice(0), ["the TLS handshake with 192.0.2.1:5, the last of 3 that failed: four"]);
  failures.onTimer();
  failures.add(failure("five"));
  assert.deepEqual(told, ["the TLS handshake with 192.0.2.1:5: five"]);
  failures.close();
});

test("a close tells what is left and leaves no timer", () => {
  const before = timerWheel.size;
  const { failures, told } = record();
  failures.add(failure("one"));
  failures.add(failure("two"));
  assert.equal(timerWheel.size, before + 1);
  failures.close();
  assert.equal(timerWheel.size, before);
  assert.deepEqual(told, ["the TLS handshake with 192.0.2.1:5: one", "the TLS handshake with 192.0.2.1:5: two"]);
  failures.add(failure("three"));
  assert.equal(timerWheel.size, before);
});
