/** What only a Postgres server can do or suffer: several processes, cancellation, limits, crashes. */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { eventually, useFakeClock } from "volant/testing";
import { openStorage, type SqlStorage } from "../../src/storage/open-storage.ts";
import { openPostgres } from "../../src/storage/postgres/postgres-database.ts";
import { SERVICE } from "../../src/storage/requester.ts";
import { StorageOpenError, StorageUnavailableError } from "../../src/storage/storage-error.ts";
import { createdUser, newUser } from "./contract.ts";
import { PATIENT, type PostgresServer, startPostgres } from "./postgres-server.ts";

const start = await startPostgres();
if ("skip" in start) describe("postgres server", { skip: start.skip }, () => undefined);
else describe("postgres server", () => serverSuite(start.server));

function serverSuite(server: PostgresServer): void {
  after(() => server.stop());
  const silent = (): void => undefined;

  it("replicas that start together migrate once, and share users, request ids and sequences", async () => {
    const url = await server.createDatabase("replicas");
    const lines: string[] = [];
    const replicas = await Promise.all(
      Array.from({ length: 4 }, () =>
        openStorage({ url, poolMax: 4, limits: PATIENT, log: (line) => lines.push(line) }),
      ),
    );
    assert.equal(lines.length, 1);
    const pick = (i: number): SqlStorage => replicas[i % 4] as SqlStorage;
    const creates = Array.from({ length: 40 }, (_, i) =>
      pick(i).users.create(newUser("one@x.io", { requestId: "one" })),
    );
    assert.equal(new Set((await Promise.all(creates)).map((outcome) => createdUser(outcome).id)).size, 1);
    const appends = Array.from({ length: 80 }, (_, i) => pick(i).messages.append("room", "s", String(i)));
    const sequences = (await Promise.all(appends)).map(({ sequence }) => Number(sequence)).sort((a, b) => a - b);
    assert.deepEqual(
      sequences,
      Array.from({ length: 80 }, (_, i) => i + 1),
    );
    await Promise.all(replicas.map((replica) => replica.close()));
  });

  it("an aborted statement is stopped on the server, and its connection is not used again", async () => {
    const database = openPostgres({ url: server.url, poolMax: 1, limits: PATIENT, log: silent });
    const watcher = openPostgres({ url: server.url, limits: PATIENT, log: silent });
    const running =
      "SELECT count(*)::int AS total FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'";
    const waitForRunning = async (wanted: number): Promise<void> => {
      while ((await watcher.lookup<{ total: number }>(running))[0]?.total !== wanted);
    };
    const controller = new AbortController();
    const sleeping = database.query("SELECT pg_sleep(100)::text", [], { ...SERVICE, signal: controller.signal });
    await waitForRunning(1);
    controller.abort(new TypeError("client left"));
    await assert.rejects(sleeping, { name: "AbortError" });
    await waitForRunning(0);
    assert.deepEqual(await database.query("SELECT 1 AS one"), [{ one: 1 }]);
    await Promise.all([database.close(), watcher.close()]);
  });

  it("§5 waiting for a connection has a limit", async (t) => {
    const clock = useFakeClock(t);
    const limits = { acquireTimeoutMs: 5_000 };
    const database = openPostgres({ url: server.url, poolMax: 1, limits, log: silent });
    await database.query("SELECT 1");
    await database.transaction(async () => {
      const refused = assert.rejects(database.query("SELECT 1"), StorageUnavailableError);
      await clock.advance(5_000);
      await refused;
    });
    assert.deepEqual(await database.query("SELECT 1 AS one"), [{ one: 1 }]);
    await database.close();
  });

  it("§4 a server that falls silent fails the reads in time, and the next read has a new connection", async (t) => {
    const clock = useFakeClock(t);
    const database = openPostgres({ url: server.url, limits: { lookupTimeoutMs: 5_000 }, log: silent });
    const silenced = await database.lookup<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const [{ pid } = { pid: 0 }] = silenced;
    process.kill(pid, "SIGSTOP");
    try {
      let answered = 0;
      const reads = Array.from({ length: 4 }, () => database.lookup("SELECT 1 AS one"));
      for (const read of reads) read.then(() => answered++).catch(() => undefined);
      await eventually("the other connection to answer", () => answered === 2);
      await clock.advance(5_000);
      const results = await Promise.allSettled(reads);
      const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
      assert.equal(failures.length, 2);
      for (const failure of failures) assert.ok(failure instanceof StorageUnavailableError, String(failure));
      for (let i = 0; i < 4; i++) assert.deepEqual(await database.lookup("SELECT 1 AS one"), [{ one: 1 }]);
    } finally {
      process.kill(pid, "SIGCONT");
      await database.close();
    }
  });

  it("§5 waiting for a row has a limit, which the URL may set", async () => {
    const url = new URL(await server.createDatabase("locks"));
    url.searchParams.set("lock_timeout", "50");
    const storage = await openStorage({ url: url.href, limits: PATIENT });
    const { id } = createdUser(await storage.users.create(newUser("locked@x.io")));
    await storage.database.transaction(async (transaction) => {
      await transaction.query("SELECT 1 FROM users WHERE id = $1 FOR UPDATE", [id]);
      await assert.rejects(storage.users.update(id, { name: "waits" }), StorageUnavailableError);
      assert.equal((await storage.users.find(id))?.name, "Name of locked@x.io");
    });
    assert.equal((await storage.users.update(id, { name: "free" })).kind, "updated");
    await storage.close();
  });

  it("§5 a deadlock is resolved by running the loser again", async () => {
    const storage = await openStorage({ url: await server.createDatabase("deadlock"), limits: PATIENT });
    const users = (await storage.users.createMany([newUser("a@x.io"), newUser("b@x.io")])).map(createdUser);
    const [a, b] = users.map(({ id }) => id) as [string, string];
    const bothStarted = Promise.withResolvers<void>();
    let started = 0;
    let runs = 0;
    const lockBoth = (first: string, second: string): Promise<void> =>
      storage.database.transaction(async (transaction) => {
        runs++;
        await transaction.query("UPDATE users SET version = version + 1 WHERE id = $1", [first]);
        if (++started === 2) bothStarted.resolve();
        await bothStarted.promise;
        await transaction.query("UPDATE users SET version = version + 1 WHERE id = $1", [second]);
      });
    await Promise.all([lockBoth(a, b), lockBoth(b, a)]);
    assert.equal(runs, 3);
    assert.deepEqual([(await storage.users.find(a))?.etag, (await storage.users.find(b))?.etag], ["3", "3"]);
    await storage.close();
  });

  it("§5 after a crash nothing that was acknowledged is gone, no request made two users, and service goes on", async () => {
    const lines: string[] = [];
    const storage = await openStorage({
      url: await server.createDatabase("crash"),
      limits: PATIENT,
      log: (line) => lines.push(line),
    });
    const acknowledged = new Map<string, string>();
    const half = Promise.withResolvers<void>();
    const requests = Array.from({ length: 2000 }, (_, i) => newUser(`crash${i}@x.io`, { requestId: `crash-${i}` }));
    const send = async (request: (typeof requests)[number]): Promise<unknown> => {
      const user = createdUser(await storage.users.create(request));
      acknowledged.set(request.email, user.id);
      if (acknowledged.size === 300) half.resolve();
      return undefined;
    };
    const sent = Promise.allSettled(requests.map(send));
    await half.promise;
    await server.crashAndRestart();
    const failures = (await sent).flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    assert.ok(failures.length > 0);
    for (const failure of failures) assert.ok(failure instanceof StorageUnavailableError, String(failure));

    for (const [email, id] of acknowledged) assert.equal((await storage.users.find(id))?.email, email);
    const again = await Promise.all(requests.map((request) => storage.users.create(request)));
    for (const [i, outcome] of again.entries()) {
      const known = acknowledged.get(requests[i]?.email ?? "");
      if (known !== undefined) assert.equal(createdUser(outcome).id, known);
    }
    assert.equal(await storage.users.count(""), requests.length);
    await storage.close();
  });

  it("close waits for what is running and then refuses", async () => {
    const storage = await openStorage({ url: await server.createDatabase("closing"), limits: PATIENT });
    const creating = Array.from({ length: 30 }, (_, i) => storage.users.create(newUser(`c${i}@x.io`)));
    const finding = storage.users.find("nobody");
    await Promise.all([storage.close(), storage.close()]);
    assert.equal(
      (await Promise.all(creating)).every(({ kind }) => kind === "created"),
      true,
    );
    assert.equal(await finding, undefined);
    await assert.rejects(storage.users.create(newUser("late@x.io")), StorageUnavailableError);
    await assert.rejects(storage.ping(), StorageUnavailableError);
  });

  it("close without time left refuses what waits and breaks off what runs", async () => {
    const storage = await openStorage({ url: await server.createDatabase("hurry"), poolMax: 2 });
    const endless = [
      storage.database.query("SELECT pg_sleep(3600)::text"),
      storage.database.transaction((transaction) => transaction.query("SELECT pg_sleep(3600)::text")),
    ];
    const waiting = Array.from({ length: 50 }, (_, n) => storage.users.create(newUser(`${n}@waits.io`)));
    const refused = Promise.allSettled([...endless, ...waiting]);
    await storage.users.find("nobody");
    await storage.close(0);
    for (const result of await refused) {
      assert.ok(result.status === "rejected" && result.reason instanceof StorageUnavailableError);
    }
  });

  it("who waits for a connection and is cancelled leaves at once, and those who wait are never more than asked for", async () => {
    const database = openPostgres({ url: server.url, poolMax: 1, log: silent });
    const controller = new AbortController();
    await database.transaction(async (transaction) => {
      const cancelled = Array.from({ length: 1000 }, () =>
        database.query("SELECT 1 AS one", [], { ...SERVICE, signal: controller.signal }),
      );
      controller.abort();
      for (const result of await Promise.allSettled(cancelled)) {
        assert.equal(result.status === "rejected" && result.reason.name, "AbortError");
      }
      assert.deepEqual(await transaction.query("SELECT 1 AS one"), [{ one: 1 }]);
    });
    assert.deepEqual(await database.query("SELECT 1 AS one"), [{ one: 1 }]);
    await database.close();
  });

  it("a server that cannot be used is an error of one line without the password", async () => {
    const target = new URL(server.url);
    target.password = "hunter2";
    const missing = new URL(target);
    missing.pathname = "/missing";
    const refused = new URL(target);
    refused.port = "1";
    for (const [url, message] of [
      [missing, /^Postgres at 127\.0\.0\.1:\d+\/missing could not be opened: .*does not exist/],
      [refused, /^Postgres at 127\.0\.0\.1:1\/postgres could not be opened: .*ECONNREFUSED/],
    ] as const) {
      await assert.rejects(openStorage({ url: url.href }), (error) => {
        assert.ok(error instanceof StorageOpenError);
        assert.match(error.message, message);
        return !error.message.includes("hunter2") && !error.message.includes("\n");
      });
    }
  });
}
