/** The contract of `wire.ts`, for everything that carries octets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type ListenOptions, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { eventually } from "../testing/use-server.ts";
import { MemoryWire } from "./memory-wire.ts";
import { SocketWire } from "./socket-wire.ts";
import type { Wire, WireSink } from "./wire.ts";

/** Keeps what it hears, and answers an end with an end, as a driver does. */
class RecordingSink implements WireSink {
  readonly log: string[] = [];
  chunks: Buffer[] = [];
  wire: Wire | undefined;

  onChunk(bytes: Buffer): void {
    this.chunks.push(Buffer.from(bytes));
  }

  onEnd(): void {
    this.log.push("end");
    this.wire?.end();
  }

  onClosed(error: Error | undefined): void {
    this.log.push(error === undefined ? "closed" : `closed ${(error as NodeJS.ErrnoException).code}`);
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }

  get bytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }
}

interface Side {
  readonly wire: Wire;
  readonly sink: RecordingSink;
}

function side(createWire: (sink: RecordingSink) => Wire): Side {
  const sink = new RecordingSink();
  const wire = createWire(sink);
  sink.wire = wire;
  return { wire, sink };
}

async function sockets(t: TestContext, where: ListenOptions): Promise<[Side, Side]> {
  const server = createServer().listen(where);
  await once(server, "listening");
  const near = connect(
    where.path === undefined ? { port: (server.address() as { port: number }).port } : { path: where.path },
  );
  const [[far]] = (await Promise.all([once(server, "connection"), once(near, "connect")])) as [[Socket], unknown];
  t.after(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return [side((sink) => new SocketWire(near, sink)), side((sink) => new SocketWire(far, sink, where.path))];
}

const CARRIERS: Record<string, (t: TestContext) => Promise<[Side, Side]>> = {
  async memory() {
    const near = side((sink) => new MemoryWire(sink));
    const far = side((sink) => new MemoryWire(sink));
    MemoryWire.join(near.wire as MemoryWire, far.wire as MemoryWire);
    return [near, far];
  },
  tcp: (t) => sockets(t, { port: 0, host: "127.0.0.1" }),
  async unix(t) {
    const folder = await mkdtemp(join(tmpdir(), "volant-"));
    t.after(() => rm(folder, { recursive: true }));
    return sockets(t, { path: join(folder, "s") });
  },
};

const never = (): void => assert.fail("a write that was taken whole is not reported");

for (const [name, open] of Object.entries(CARRIERS)) {
  test(`${name}: octets arrive in order, and never inside the write`, async (t) => {
    const [near, far] = await open(t);
    const bytes = Buffer.from("one ");
    assert.equal(near.wire.write(bytes, never), true);
    assert.equal(far.sink.bytes, 0);
    bytes.fill("x");
    assert.equal(near.wire.write(Buffer.from("two"), never), true);
    await eventually("both chunks", () => far.sink.bytes === 7);
    assert.equal(far.sink.text, "one two");
  });

  test(`${name}: a peer that does not read makes a write wait, and reading ends the wait`, async (t) => {
    const [near, far] = await open(t);
    far.wire.pause();
    let sent = 0;
    let written = false;
    const chunk = Buffer.alloc(65_536, "a");
    while (near.wire.write(chunk, () => (written = true))) {
      sent += chunk.length;
      assert.ok(sent < 64 * 1024 * 1024, "a write has to wait at some time");
      await new Promise((resolve) => setImmediate(resolve));
    }
    sent += chunk.length;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(written, false);
    far.wire.resume();
    await eventually("everything to arrive", () => far.sink.bytes === sent);
    await eventually("the write to be reported", () => written);
  });

  test(`${name}: an end lets what was written arrive, then both sides close`, async (t) => {
    const [near, far] = await open(t);
    near.wire.write(Buffer.from("last words"), never);
    near.wire.end();
    near.wire.end();
    await eventually("both to close", () => near.sink.log.length === 2 && far.sink.log.length === 2);
    assert.equal(far.sink.text, "last words");
    assert.deepEqual(near.sink.log, ["end", "closed"]);
    assert.deepEqual(far.sink.log, ["end", "closed"]);
  });

  test(`${name}: after its end a side still reads what the other sends`, async (t) => {
    const [near, far] = await open(t);
    far.sink.onEnd = () => {
      far.wire.write(Buffer.from("still here"), never);
      far.wire.end();
    };
    near.wire.end();
    await eventually("the end of both", () => near.sink.log.includes("closed"));
    assert.equal(near.sink.text, "still here");
  });

  test(`${name}: destroy closes at once, and a waiting write is over`, async (t) => {
    const [near, far] = await open(t);
    far.wire.pause();
    let written = false;
    const chunk = Buffer.alloc(1 << 20);
    while (near.wire.write(chunk, () => (written = true))) await new Promise((resolve) => setImmediate(resolve));
    near.wire.destroy();
    await eventually("its close", () => near.sink.log.includes("closed"));
    await eventually("the write to be over", () => written);
    far.wire.resume();
    await eventually("the other side's close", () => far.sink.log.some((line) => line.startsWith("closed")));
    assert.equal(near.wire.write(chunk, never), true);
  });

  test(`${name}: both sides may end at once`, async (t) => {
    const [near, far] = await open(t);
    near.wire.end();
    far.wire.end();
    await eventually("both to close", () => near.sink.log.includes("closed") && far.sink.log.includes("closed"));
  });
}

test("a memory wire keeps the process alive only while it is asked to", () => {
  const wire = new MemoryWire(new RecordingSink());
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  wire.ref();
  wire.ref();
  assert.equal(timers(), before + 1);
  wire.unref();
  assert.equal(timers(), before);
});

test("a peer's address is written as it would be dialled", async (t) => {
  const [near, far] = await CARRIERS.tcp!(t);
  assert.match(near.wire.peer.address, /^127\.0\.0\.1:\d+$/);
  assert.match(far.wire.peer.address, /^127\.0\.0\.1:\d+$/);
  const [, overUnix] = await CARRIERS.unix!(t);
  assert.match(overUnix.wire.peer.address, /^unix:\/.+\/s$/);
});
