/** What a wire knows of a write that its peer takes slowly: CVE-2019-9517 is judged by it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectPlain, createServer, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { connect, createServer as createTlsServer } from "node:tls";
import { eventually } from "../../src/testing/index.ts";
import { SocketWire } from "../../src/transport/socket-wire.ts";
import { TlsIdentity } from "../../src/transport/tls-identity.ts";
import { authority, localhost } from "./support/tls-lab.ts";

/** More than any kernel keeps for two sockets. */
const WRITE_BYTES = 16 * 1024 * 1024;

async function joined(t: TestContext, server: Server, connected: (port: number) => Socket): Promise<[Socket, Socket]> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const accepted = once(server, server.listenerCount("secureConnection") > 0 ? "secureConnection" : "connection");
  const far = connected((server.address() as { port: number }).port);
  const [near] = (await accepted) as [Socket];
  t.after(async () => {
    far.destroy();
    near.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return [near, far];
}

const PAIRS: Readonly<Record<string, (t: TestContext) => Promise<[Socket, Socket]>>> = {
  TCP: (t) => joined(t, createServer(), (port) => connectPlain(port, "127.0.0.1")),
  TLS: (t) =>
    joined(
      t,
      createTlsServer({ ...localhost }).on("secureConnection", () => undefined),
      (port) => connect({ port, host: "127.0.0.1", ca: authority.cert }),
    ),
};

for (const [kind, pair] of Object.entries(PAIRS)) {
  test(`${kind}: parts of a write that the peer has taken are seen before the whole is`, async (t) => {
    const [near, far] = await pair(t);
    const sink = { onChunk: () => undefined, onEnd: () => undefined, onClosed: () => undefined };
    const wire = new SocketWire(near, sink, undefined, kind === "TLS" ? new TlsIdentity(near as never) : undefined);
    far.pause();
    assert.equal(
      wire.write(Buffer.alloc(WRITE_BYTES), () => undefined),
      false,
    );
    let before = -1;
    await eventually("the kernel to be full", () => {
      const isStill = wire.unsentBytes === before;
      before = wire.unsentBytes;
      return isStill;
    });
    assert.ok(before > 0);
    let taken = 0;
    far.on("data", (chunk: Buffer) => {
      taken += chunk.length;
      if (wire.unsentBytes < before) far.pause();
    });
    far.resume();
    await eventually("the wire to see it", () => wire.unsentBytes < before);
    assert.ok(taken < WRITE_BYTES / 2 && wire.unsentBytes > 0, `seen after ${taken} octets: ${wire.unsentBytes} left`);
  });
}
