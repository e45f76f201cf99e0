import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { AddressLimit } from "./address-limit.ts";

const socketOf = (remoteAddress: string | undefined): Socket =>
  Object.assign(new EventEmitter(), { remoteAddress }) as unknown as Socket;

test("an address has so many places and no more, whoever else connects, and gets one back with each close", () => {
  const limit = new AddressLimit(2);
  const [first, second] = [socketOf("10.0.0.1"), socketOf("::ffff:10.0.0.1")];
  assert.deepEqual([limit.admit(first), limit.admit(second), limit.admit(socketOf("10.0.0.1"))], [true, true, false]);
  assert.equal(limit.admit(socketOf("10.0.0.2")), true);
  first.emit("close");
  assert.equal(limit.admit(first), true);
  first.emit("close");
  second.emit("close");
  assert.equal(limit.size, 1);
});

test("Unix sockets have no address, and without a limit nothing is counted", () => {
  const limit = new AddressLimit(1);
  assert.deepEqual([limit.admit(socketOf(undefined)), limit.admit(socketOf(undefined))], [true, true]);
  const off = new AddressLimit(Number.POSITIVE_INFINITY);
  for (let each = 0; each < 10; each++) assert.equal(off.admit(socketOf("10.0.0.1")), true);
  assert.equal(off.size, 0);
});
