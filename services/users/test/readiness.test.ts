/** What health says while the database is away: a real Postgres behind a relay that can be cut. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { after, describe, it, type TestContext } from "node:test";
import { Channel, createClient } from "volant";
import { Health, HealthCheckResponse_ServingStatus } from "volant/services";
import { type PostgresServer, startPostgres } from "./storage/postgres-server.ts";
import { ServiceProcess, temporaryFolder } from "./support/service-process.ts";

const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;

const start = await startPostgres();
if ("skip" in start) describe("a database that goes away", { skip: start.skip }, () => undefined);
else describe("a database that goes away", () => awaySuite(start.server));

/** Passes octets on to the port until it is cut; then it takes connections and ends them at once. */
async function relayTo(t: TestContext, port: number) {
  const sockets = new Set<Socket>();
  let isCut = false;
  const relay = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      // A cut is an error to one side or the other; `close` follows.
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }).listen(0, "127.0.0.1");
  await once(relay, "listening");
  const cut = (): void => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  t.after(() => {
    cut();
    relay.close();
  });
  const mend = (): void => {
    isCut = false;
  };
  return { port: (relay.address() as AddressInfo).port, cut, mend };
}

function awaySuite(postgres: PostgresServer): void {
  after(() => postgres.stop());

  it("is told by readiness and by the service, not by liveness, until it is back", async (t) => {
    const url = new URL(await postgres.createDatabase("away"));
    const relay = await relayTo(t, Number(url.port));
    url.port = String(relay.port);
    const { path, remove } = temporaryFolder();
    t.after(remove);
    const service = ServiceProcess.start(path, { DATABASE_URL: url.href });
    t.after(() => service.dispose());
    const channel = new Channel(await service.ready());
    t.after(() => channel.close());
    const health = createClient(Health, channel);
    const check = async (name: string) => (await health.check({ service: name })).status;

    const seen: number[] = [];
    for await (const { status } of health.watch({ service: "readiness" })) {
      seen.push(status);
      if (seen.length === 1) relay.cut();
      if (seen.length === 2) {
        assert.equal(await check("user.UserService"), NOT_SERVING);
        assert.equal(await check("liveness"), SERVING);
        assert.equal(await check(""), SERVING);
        relay.mend();
      }
      if (seen.length === 3) break;
    }
    assert.deepEqual(seen, [SERVING, NOT_SERVING, SERVING]);
    assert.equal(await check("user.UserService"), SERVING);
    await service.printed("stderr", /"level":"error","message":"the storage does not answer: not ready"/);
    await service.printed("stderr", /"message":"the storage answers again: ready"/);
    assert.deepEqual(await service.stop(), { code: 0, signal: null });
  });
}
