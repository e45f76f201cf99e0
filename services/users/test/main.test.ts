/** The service as a process: what it prints, how it stops, why it does not start. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { Channel, createClient, StatusCode } from "volant";
import { UserService } from "../src/gen/user_pb.ts";
import { Outbox, take } from "./support/outbox.ts";
import { fault } from "./support/rpc-faults.ts";
import { ServiceProcess, temporaryFolder } from "./support/service-process.ts";

const MEMORY = { DATABASE_URL: "memory://" };

function folder(t: TestContext): string {
  const { path, remove } = temporaryFolder();
  t.after(remove);
  return path;
}

function start(t: TestContext, cwd: string, env: Readonly<Record<string, string>> = {}): ServiceProcess {
  const service = ServiceProcess.start(cwd, env);
  t.after(() => service.dispose());
  return service;
}

function connect(t: TestContext, address: string) {
  const channel = new Channel(address);
  t.after(() => channel.close());
  return createClient(UserService, channel);
}

/** How many of `wanted` PINGs in a row are answered on a connection without calls. */
async function pingsAnswered(t: TestContext, address: string, wanted: number): Promise<number> {
  const session = connectHttp2(`http://${address}`);
  t.after(() => session.destroy());
  const closed = new Promise<false>((resolve) => session.once("close", () => resolve(false)));
  await once(session, "remoteSettings");
  for (let answered = 0; answered < wanted; answered++) {
    const answer = new Promise<boolean>((resolve) => session.ping((error) => resolve(error === null)));
    if (!(await Promise.race([answer, closed]))) return answered;
  }
  return wanted;
}

/** It printed one line, to stderr, and exited with 1. */
async function refusal(service: ServiceProcess): Promise<string> {
  assert.deepEqual(await service.exited, { code: 1, signal: null });
  assert.equal(service.stdout, "");
  assert.match(service.stderr, /^[^\n]+\n$/);
  return service.stderr.trimEnd();
}

describe("a start", () => {
  it("prints the ready line with an address that answers, and a command to try", async (t) => {
    const service = start(t, folder(t), { ...MEMORY, HOST: "0.0.0.0" });
    const address = await service.ready();
    assert.match(address, /^127\.0\.0\.1:\d+$/);
    await service.printed("stdout", /\ntry: .*\n/);
    assert.match(service.stdout, /^ready grpc=127\.0\.0\.1:\d+ database=pglite\ntry: npx buf curl [^\n]+\/GetUser\n$/);
    assert.doesNotMatch(service.stdout, /--schema/, "reflection makes it superfluous");
    const { user } = await connect(t, address).getUser({ userId: "123" });
    assert.equal(user?.id, "123");
    assert.deepEqual(await service.stop(), { code: 0, signal: null });
    assert.equal(service.stdout.split("\n").length, 3);
  });

  it("in production adds no sample users, and warns of a page token key that others do not have", async (t) => {
    const service = start(t, folder(t), { ...MEMORY, NODE_ENV: "production" });
    const users = connect(t, await service.ready());
    await assert.rejects(users.getUser({ userId: "123" }), fault({ code: StatusCode.NOT_FOUND }));
    await service.printed("stderr", /"level":"warn","message":"PAGE_TOKEN_SECRET is not set[^"]*"/);
  });

  it("applies what the environment says", async (t) => {
    const often = { KEEPALIVE_MIN_TIME_MS: "0", KEEPALIVE_PERMIT_WITHOUT_CALLS: "on" };
    const env = { ...MEMORY, ...often, MAX_RECEIVE_MESSAGE_BYTES: "1024", CHAT_MAX_ROOMS: "1", LOG_LEVEL: "silent" };
    const service = start(t, folder(t), env);
    const address = await service.ready();
    const users = connect(t, address);
    const tooLarge = users.getUser({ userId: "x".repeat(2000) });
    await assert.rejects(tooLarge, fault({ code: StatusCode.RESOURCE_EXHAUSTED }));
    const rooms = users.userChat([{ roomId: "one" }, { roomId: "two" }]);
    await assert.rejects(take(rooms[Symbol.asyncIterator](), 1), fault({ code: StatusCode.RESOURCE_EXHAUSTED }));
    assert.equal(await pingsAnswered(t, address, 20), 20);
    await service.stop();
    assert.equal(service.stderr, "");
  });

  it("tells of the embedded database while it starts, and that the first start takes longer", async (t) => {
    const cwd = folder(t);
    const told = async (): Promise<string[]> => {
      const service = start(t, cwd);
      await service.ready();
      await service.stop();
      const entries = service.stderr.trimEnd().split("\n");
      return entries.map((line) => (JSON.parse(line) as { message: string }).message).slice(0, 2);
    };
    assert.deepEqual(await told(), [
      "starting the embedded database in .data/users: the first start makes it, which takes some seconds",
      "the embedded database is ready",
    ]);
    assert.deepEqual(await told(), [
      "starting the embedded database in .data/users: it was made before",
      "the embedded database is ready",
    ]);
  });

  it("keeps users in its folder, and page tokens where the key is given", async (t) => {
    const cwd = folder(t);
    const env = { PAGE_TOKEN_SECRET: "0123456789abcdef" };
    const first = start(t, cwd, env);
    const before = connect(t, await first.ready());
    const { user } = await before.createUser({ email: "kept@example.com", name: "Kept" });
    const page = await before.listUsers({ pageSize: 2, sortBy: "email" });
    assert.deepEqual(await first.stop(), { code: 0, signal: null });

    const second = start(t, cwd, env);
    const after = connect(t, await second.ready());
    assert.deepEqual((await after.getUser({ userId: user?.id ?? "" })).user, user);
    const next = await after.listUsers({ pageSize: 2, sortBy: "email", pageToken: page.nextPageToken });
    assert.equal(next.page, 2);
    assert.equal(next.totalCount, 7);
    await second.stop();
  });
});

describe("a stop", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`by ${signal} lets running calls end, then exits with 0`, async (t) => {
      const service = start(t, folder(t), MEMORY);
      const users = connect(t, await service.ready());
      const upload = new Outbox<{ email: string; name: string }>();
      const answer = users.createUserStream(upload);
      // One batch is stored, so the call is known to have reached its handler.
      for (let n = 0; n < 100; n++) upload.send({ email: `u${n}@example.com`, name: "U" });
      while ((await users.listUsers({ filter: "u99@" })).totalCount === 0);
      service.kill(signal);
      await service.printed("stderr", /"message":"stopping"/);
      upload.send({ email: "late@example.com", name: "Late" }).end();
      assert.equal((await answer).createdCount, 101);
      assert.deepEqual(await service.exited, { code: 0, signal: null });
    });
  }

  it("asked for while it starts exits with 0 too", async (t) => {
    const service = start(t, folder(t), MEMORY);
    await service.printed("stderr", /"message":"database schema: applied/);
    assert.deepEqual(await service.stop(), { code: 0, signal: null });
  });

  it("ends chats at once, with what to do", async (t) => {
    const service = start(t, folder(t), MEMORY);
    const users = connect(t, await service.ready());
    const outbox = new Outbox<{ roomId: string; content: string }>().send({ roomId: "r", content: "hi" });
    const inbox = users.userChat(outbox)[Symbol.asyncIterator]();
    await take(inbox, 1);
    service.kill("SIGTERM");
    await assert.rejects(inbox.next(), fault({ code: StatusCode.UNAVAILABLE, message: /resume_after/ }));
    assert.deepEqual(await service.exited, { code: 0, signal: null });
  });

  it("waits no longer than SHUTDOWN_GRACE_MS", async (t) => {
    const service = start(t, folder(t), { ...MEMORY, SHUTDOWN_GRACE_MS: "50" });
    const users = connect(t, await service.ready());
    const answer = users.createUserStream(new Outbox<object>());
    const rejected = assert.rejects(answer);
    await users.getUser({ userId: "123" });
    assert.deepEqual(await service.stop(), { code: 0, signal: null });
    await rejected;
  });

  it("is forced by a second signal", async (t) => {
    const service = start(t, folder(t), { ...MEMORY, SHUTDOWN_GRACE_MS: "600000" });
    const users = connect(t, await service.ready());
    const rejected = assert.rejects(users.createUserStream(new Outbox<object>()));
    await users.getUser({ userId: "123" });
    service.kill("SIGTERM");
    await service.printed("stderr", /"message":"stopping"/);
    service.kill("SIGINT");
    assert.deepEqual(await service.exited, { code: 1, signal: null });
    await rejected;
  });
});

describe("a start that cannot be", () => {
  it("tells of a port that is taken", async (t) => {
    const taken = createServer().listen(0, "127.0.0.1");
    t.after(() => taken.close());
    await once(taken, "listening");
    const port = String((taken.address() as AddressInfo).port);
    const line = await refusal(start(t, folder(t), { ...MEMORY, GRPC_PORT: port }));
    assert.equal(
      line,
      `GRPC_PORT ${port} on 127.0.0.1 is taken: stop the program that has it, or choose another port (0: a free one)`,
    );
  });

  it("tells of a host that is not here", async (t) => {
    const line = await refusal(start(t, folder(t), { ...MEMORY, HOST: "192.0.2.1" }));
    assert.match(line, /^HOST 192\.0\.2\.1 is not an address of this machine/);
  });

  it("tells of a data folder that another process has, and leaves that one alone", async (t) => {
    const cwd = folder(t);
    const first = start(t, cwd);
    const address = await first.ready();
    const line = await refusal(start(t, cwd));
    assert.match(line, new RegExp(`^data folder .* is in use by process ${first.pid}: `));
    await connect(t, address).getUser({ userId: "123" });
    assert.deepEqual(await first.stop(), { code: 0, signal: null });
  });

  it("tells of a data folder that cannot be used", async (t) => {
    const cwd = folder(t);
    writeFileSync(join(cwd, ".data"), "in the way");
    const line = await refusal(start(t, cwd));
    assert.match(line, /^data folder .*\.data.* cannot be used: /);
  });

  it("tells of each wrong variable, before it opens anything", async (t) => {
    const line = await refusal(start(t, folder(t), { GRPC_PORT: "http", LOG_LEVEL: "loud" }));
    assert.match(line, /^GRPC_PORT must be an integer from 0 to 65535 .*, not "http"; LOG_LEVEL must be one of /);
  });

  it("shows no secret", async (t) => {
    const env = { DATABASE_URL: "mysql://root:CANARY-1@db/users", PAGE_TOKEN_SECRET: "CANARY-2" };
    const line = await refusal(start(t, folder(t), env));
    assert.match(line, /^DATABASE_URL must be .*; PAGE_TOKEN_SECRET must be /);
    assert.doesNotMatch(line, /CANARY/);
  });

  it("tells of a database that does not answer, without its password", async (t) => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, "close");
    const url = `postgres://me:CANARY@127.0.0.1:${port}/users`;
    const line = await refusal(start(t, folder(t), { DATABASE_URL: url }));
    assert.match(line, new RegExp(`^DATABASE_URL: .*127\\.0\\.0\\.1:${port}`));
    assert.doesNotMatch(line, /CANARY/);
  });
});
