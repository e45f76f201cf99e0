import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { handlerCall } from "../../test/support/handler-call.ts";
import { requesterOf } from "./requester-of-call.ts";

describe("who takes turns at the storage", () => {
  it("is the address of a connection, and within it the connection", () => {
    const controller = new AbortController();
    const { group, member, signal } = requesterOf(handlerCall(controller.signal));
    assert.deepEqual([group, member, signal], ["192.0.2.1", "192.0.2.1:50312", controller.signal]);
  });
});
