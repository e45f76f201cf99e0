import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { handlerCall } from "../../test/support/handler-call.ts";
import { networkOf, requesterOf } from "./requester-of-call.ts";

describe("who takes turns at the storage", () => {
  it("is the address of a connection, and within it the connection", () => {
    const controller = new AbortController();
    const { group, member, signal } = requesterOf(handlerCall(controller.signal));
    assert.deepEqual([group, member, signal], ["192.0.2.1", "192.0.2.1:50312", controller.signal]);
  });

  it("is the first 64 bits of an IPv6 address, and the IPv4 address that came over IPv6", () => {
    const cases = [
      ["127.0.0.1:50312", "127.0.0.1"],
      ["[::1]:50312", "0:0:0:0"],
      ["[2001:db8:1:2::9]:1", "2001:db8:1:2"],
      ["[2001:db8:1:2:3:4:5:6]:1", "2001:db8:1:2"],
      ["[2001:db8::7:8]:1", "2001:db8:0:0"],
      ["[fe80::1%eth0]:1", "fe80:0:0:0"],
      ["[::ffff:192.0.2.7]:1", "192.0.2.7"],
      ["unix:/run/x.sock", "unix:/run/x.sock"],
      ["memory", "memory"],
    ] as const;
    for (const [address, network] of cases) assert.equal(networkOf(address), network, address);
  });
});
