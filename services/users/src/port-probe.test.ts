import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, it } from "node:test";
import { probePort } from "./port-probe.ts";

describe("a port that was probed", () => {
  it("is free again afterwards, and known as taken while it is", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await assert.rejects(probePort("127.0.0.1", port), { code: "EADDRINUSE" });
    server.close();
    await once(server, "close");
    await probePort("127.0.0.1", port);
    await probePort("127.0.0.1", port);
  });

  it("needs an address of this machine", async () => {
    await assert.rejects(probePort("192.0.2.1", 0), { code: "EADDRNOTAVAIL" });
  });
});
