import assert from "node:assert/strict";
import { test } from "node:test";
import { RpcError } from "../rpc/rpc-error.ts";
import { StatusCode } from "../rpc/status.ts";
import { OutgoingCall } from "./outgoing-call.ts";

const METHOD = { path: "/a.B/C", service: "a.B", name: "C", kind: "unary", idempotency: "UNKNOWN" } as const;
const END = { status: new RpcError(StatusCode.ABORTED), durationMs: 1, messagesSent: 1, messagesReceived: 0 };

test("a listener that comes after the end hears it at once, and every listener once", () => {
  const call = new OutgoingCall(METHOD, undefined, Number.POSITIVE_INFINITY, () => undefined);
  const log: string[] = [];
  call.onEnd(() => log.push("first"));
  call.onEnd(() => log.push("second"));
  call.tellEnd(END);
  call.onEnd((end) => log.push(`late ${end.status.code}`));
  assert.deepEqual(log, ["second", "first", `late ${StatusCode.ABORTED}`]);
});

test("limitTimeout takes any number from 0, and nothing once the call is sealed", () => {
  const call = new OutgoingCall(METHOD, undefined, Number.POSITIVE_INFINITY, () => undefined);
  assert.throws(() => call.limitTimeout(Number.NaN), RangeError);
  call.limitTimeout(0);
  assert.equal(call.remainingMs, 0);
  call.seal();
  assert.throws(() => call.limitTimeout(1), /in onCall only/);
});
