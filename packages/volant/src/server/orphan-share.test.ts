/** Who counts as one client where orphaned handlers are shared out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { OrphanShares } from "./orphan-share.ts";

const CLIENTS: Readonly<Record<string, string>> = {
  "192.0.2.7:50001": "192.0.2.7",
  "[::ffff:192.0.2.7]:50001": "192.0.2.7",
  "[2001:db8:1:2:3:4:5:6]:443": "2001:db8:1:2",
  "[fe80::1%eth0]:443": "fe80:0:0:0",
  memory: "memory",
  unknown: "unknown",
  "unix:/run/a.sock": "unix:/run/a.sock",
  "unix:/run/a::b.sock": "unix:/run/a::b.sock",
  "unix:/run/a:b:c:d:e:f:g:h:i.sock": "unix:/run/a:b:c:d:e:f:g:h:i.sock",
};

for (const [address, client] of Object.entries(CLIENTS)) {
  test(`a peer at ${address} is the client ${client}`, () =>
    assert.equal(new OrphanShares().join(address).client, client));
}

test("connections of one client share, and the last of connections and orphans takes the share away", () => {
  const shares = new OrphanShares();
  const [first, second] = [shares.join("192.0.2.7:1"), shares.join("192.0.2.7:2")];
  assert.equal(first, second);
  assert.notEqual(shares.join("192.0.2.8:1"), first);
  first.orphans++;
  shares.leave(first);
  shares.leave(second);
  assert.equal(shares.size, 2);
  assert.equal(shares.join("192.0.2.7:3"), first, "its orphans still run");
  shares.remove(first);
  assert.equal(shares.size, 2);
  shares.leave(first);
  assert.equal(shares.size, 1);
});
