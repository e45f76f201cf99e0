import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClientConnection } from "./client-connection.ts";
import { type PendingCall, PendingCalls } from "./pending-calls.ts";

function recorder() {
  const log: string[] = [];
  const call = (name: string, waitForReady = false, then: () => void = () => undefined): PendingCall => ({
    waitForReady,
    begin() {
      log.push(`begin ${name}`);
      then();
    },
    failUnavailable(reason) {
      log.push(`${name} ${reason}`);
      then();
    },
    failClosed: () => log.push(`closed ${name}`),
  });
  return { log, call };
}

const CONNECTION = {} as ClientConnection;

test("calls start in the order they came, as many as there is room for", () => {
  const { log, call } = recorder();
  const pending = new PendingCalls();
  for (const name of ["a", "b", "c"]) pending.add(call(name));
  let room = 2;
  pending.startOn(() => (room-- > 0 ? CONNECTION : undefined));
  assert.deepEqual(log, ["begin a", "begin b"]);
  assert.equal(pending.size, 1);
});

test("a call that left, or that comes while others start, keeps its place or has none", () => {
  const { log, call } = recorder();
  const pending = new PendingCalls();
  const gone = call("gone");
  const late = call("late");
  pending.add(call("a", false, () => pending.remove(gone)));
  pending.add(gone);
  pending.add(call("b", false, () => pending.add(late)));
  pending.startOn(() => CONNECTION);
  assert.deepEqual(log, ["begin a", "begin b", "begin late"]);
});

test("only calls that do not wait for ready fail; what they add meanwhile does not fail with them", () => {
  const { log, call } = recorder();
  const pending = new PendingCalls();
  const again = call("again");
  pending.add(call("a", false, () => pending.add(again)));
  pending.add(call("patient", true));
  pending.failUnavailable("down");
  assert.deepEqual(log, ["a down"]);
  assert.equal(pending.size, 2);
  pending.failClosed();
  assert.deepEqual(log, ["a down", "closed patient", "closed again"]);
  assert.equal(pending.size, 0);
});
