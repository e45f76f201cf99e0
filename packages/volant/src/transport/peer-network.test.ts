import assert from "node:assert/strict";
import { test } from "node:test";
import { networkOf, networkOfPeer } from "./peer-network.ts";

for (const [address, network] of [
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::6", "2001:db8:1:2"],
  ["2001:db8::1", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["fe80::1%eth0", "fe80:0:0:0"],
] as const) {
  test(`RFC 4291: ${address} counts as ${network}`, () => assert.equal(networkOf(address), network));
}

for (const [address, network] of [
  ["127.0.0.1:50312", "127.0.0.1"],
  ["[::1]:50312", "0:0:0:0"],
  ["[2001:db8::7:8]:1", "2001:db8:0:0"],
  ["[fe80::1%eth0]:1", "fe80:0:0:0"],
  ["[::ffff:192.0.2.7]:1", "192.0.2.7"],
  ["unix:/run/x.sock", "unix:/run/x.sock"],
  ["unix:/run/[::1]:80", "unix:/run/[::1]:80"],
  ["memory", "memory"],
] as const) {
  test(`the peer ${address} counts as ${network}`, () => assert.equal(networkOfPeer(address), network));
}
