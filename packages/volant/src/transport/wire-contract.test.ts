/** The contract of `wire.ts`, for everything that carries octets. A carrier may take a write at once or report it later. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type ListenOptions, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Authority } from "../../test/tls/support/certificates.ts";
import { eventually } from "../testing/use-server.ts";
import { MemoryWire } from "./memory-wire.ts";
import { SocketWire } from "./socket-wire.ts";
import { TlsAcceptor } from "./tls-acceptor.ts";
import { resolveChannelTls, TlsDialer } from "./tls-dialer.ts";
import { TlsIdentity } from "./tls-identity.ts";
import { resolveServerTls } from "./tls-server-options.ts";
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

/** As client and server do it. */
async function secureSockets(t: TestContext): Promise<[Side, Side]> {
  const authority = new Authority();
  const accepted = Promise.withResolvers<Side>();
  const acceptor = new TlsAcceptor(resolveServerTls(authority.issue()), undefined, {
    onSecure: (socket, tls) => accepted.resolve(side((sink) => new SocketWire(socket, sink, undefined, tls))),
    onFailed: accepted.reject,
  });
  const server = createServer((socket) => acceptor.handle(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const dialer = new TlsDialer(resolveChannelTls({ ca: authority.cert })!);
  const socket = dialer.connect({ host: "127.0.0.1", port: (server.address() as { port: number }).port });
  await once(socket, "secureConnect");
  const near = side((sink) => new SocketWire(socket, sink, undefined, new TlsIdentity(socket)));
  const far = await accepted.promise;
  t.after(() => {
    near.wire.destroy();
    far.wire.destroy();
    acceptor.close();
    server.close();
  });
  return [near, far];
}

/** Resolves when `bytes` may be reused. */
function sent(wire: Wire, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const isTaken = wire.write(bytes, () => {
      assert.equal(isTaken, false, "a write that was taken whole is not reported, and none inside of it");
      resolve();
    });
    if (isTaken) resolve();
  });
}

/** Far more turns than a write takes that nobody holds up. */
const TURNS = 50;

/** Writes until a write waits for the reader. */
async function untilStuck(wire: Wire, chunk: Buffer): Promise<{ readonly bytes: number; isWritten(): boolean }> {
  for (let bytes = chunk.length; bytes < 256 * 1024 * 1024; bytes += chunk.length) {
    let isWritten = false;
    void sent(wire, chunk).then(() => {
      isWritten = true;
    });
    for (let turn = 0; turn < TURNS && !isWritten; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (!isWritten) return { bytes, isWritten: () => isWritten };
  }
  return assert.fail("a write has to wait at some time");
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
  tls: secureSockets,
};

for (const [name, open] of Object.entries(CARRIERS)) {
  test(`${name}: octets arrive in order, and never inside the write`, async (t) => {
    const [near, far] = await open(t);
    const bytes = Buffer.from("one ");
    const first = sent(near.wire, bytes);
    assert.equal(far.sink.bytes, 0);
    await first;
    bytes.fill("x");
    await sent(near.wire, Buffer.from("two"));
    await eventually("both chunks", () => far.sink.bytes === 7);
    assert.equal(far.sink.text, "one two");
  });

  test(`${name}: octets received are counted, at least those that are handed on`, async (t) => {
    const [near, far] = await open(t);
    const before = far.wire.receivedBytes;
    await sent(near.wire, Buffer.alloc(10_000));
    await eventually("everything to arrive", () => far.sink.bytes === 10_000);
    assert.ok(far.wire.receivedBytes - before >= (name === "tls" ? 10_020 : 10_000));
    near.wire.destroy();
  });

  test(`${name}: a peer that does not read makes a write wait, and reading ends the wait`, async (t) => {
    const [near, far] = await open(t);
    far.wire.pause();
    const stuck = await untilStuck(near.wire, Buffer.alloc(65_536, "a"));
    far.wire.resume();
    await eventually("everything to arrive", () => far.sink.bytes === stuck.bytes);
    await eventually("the write to be reported", stuck.isWritten);
  });

  test(`${name}: an end lets what was written arrive, then both sides close`, async (t) => {
    const [near, far] = await open(t);
    await sent(near.wire, Buffer.from("last words"));
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
      void sent(far.wire, Buffer.from("still here"));
      far.wire.end();
    };
    near.wire.end();
    await eventually("the end of both", () => near.sink.log.includes("closed"));
    assert.equal(near.sink.text, "still here");
  });

  test(`${name}: destroy closes at once, and a waiting write is over`, async (t) => {
    const [near, far] = await open(t);
    far.wire.pause();
    const chunk = Buffer.alloc(1 << 20);
    const stuck = await untilStuck(near.wire, chunk);
    near.wire.destroy();
    await eventually("its close", () => near.sink.log.includes("closed"));
    await eventually("the write to be over", stuck.isWritten);
    far.wire.resume();
    await eventually("the other side's close", () => far.sink.log.some((line) => line.startsWith("closed")));
    await sent(near.wire, chunk);
  });

  test(`${name}: both sides may end at once`, async (t) => {
    const [near, far] = await open(t);
    near.wire.end();
    far.wire.end();
    await eventually("both to close", () => near.sink.log.includes("closed") && far.sink.log.includes("closed"));
  });
}

/** As on a socket whose Node has nothing to share reads by. */
function withoutSharing(socket: Socket): Socket {
  const handle = (socket as unknown as { readonly _handle: object })._handle;
  Object.defineProperty(handle, "useUserBuffer", { value: undefined });
  return socket;
}

/** Two connections to one server, and the far ends of both. */
async function twoConnections(t: TestContext, prepare: (socket: Socket) => Socket = (socket) => socket) {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const open = async (): Promise<{ far: Side; near: Socket }> => {
    const near = connect({ port, host: "127.0.0.1" });
    const [[socket]] = (await Promise.all([once(server, "connection"), once(near, "connect")])) as [[Socket], unknown];
    t.after(() => {
      near.destroy();
      socket.destroy();
    });
    return { near, far: side((sink) => new SocketWire(prepare(socket), sink)) };
  };
  t.after(() => server.close());
  return [await open(), await open()] as const;
}

test("cleartext sockets of a thread read into one memory", { skip: process.platform === "win32" }, async (t) => {
  const connections = await twoConnections(t);
  const seen: ArrayBufferLike[] = [];
  for (const { near, far } of connections) {
    far.sink.onChunk = (bytes) => seen.push(bytes.buffer);
    near.write("x");
  }
  await eventually("both to be read", () => seen.length === 2);
  assert.equal(seen[0], seen[1]);
});

for (const [how, prepare] of Object.entries({ shared: (socket: Socket) => socket, "not shared": withoutSharing })) {
  test(`with reads ${how}, each of two busy sockets gets its own octets, in order`, async (t) => {
    const connections = await twoConnections(t, prepare);
    const payloads = ["a", "b"].map((letter) => Buffer.alloc(3_000_000, `${letter}0123456789`));
    for (const [index, { near }] of connections.entries()) near.write(payloads[index]!);
    await eventually("everything to arrive", () => connections.every(({ far }) => far.sink.bytes === 3_000_000));
    for (const [index, { far }] of connections.entries()) {
      assert.ok(Buffer.concat(far.sink.chunks).equals(payloads[index]!));
    }
  });
}

for (const [name, open] of Object.entries({ tcp: CARRIERS.tcp!, tls: CARRIERS.tls! })) {
  test(`${name}: a socket that always has more, and is slow to handle, leaves its turn to others`, async (t) => {
    const [near, far] = await open(t);
    const payload = Buffer.alloc(40_000, "0123456789a");
    let turn = 0;
    const nextTurn = (): void => {
      turn++;
      if (far.sink.bytes < payload.length) setImmediate(nextTurn);
    };
    const turns: number[] = [];
    far.sink.onChunk = (bytes) => {
      far.sink.chunks.push(Buffer.from(bytes));
      turns.push(turn);
      // Longer than all that a turn has for such pieces, by the clock that the gate reads.
      for (const endsAt = performance.now() + 4.1; performance.now() < endsAt; );
    };
    nextTurn();
    void sent(near.wire, payload);
    await eventually("everything to arrive", () => far.sink.bytes === payload.length);
    assert.ok(Buffer.concat(far.sink.chunks).equals(payload));
    const most = Math.max(...turns.map((at) => turns.filter((other) => other === at).length));
    assert.ok(most <= 2, `${most} pieces in one turn: one at once and one that waited are allowed`);
  });
}

test("a socket that is paused keeps the process alive, unless it must not", async (t) => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const [{ far }] = await twoConnections(t);
  const before = timers();
  far.wire.pause();
  far.wire.pause();
  assert.equal(timers(), before + 1);
  far.wire.unref();
  assert.equal(timers(), before);
  far.wire.ref();
  assert.equal(timers(), before + 1);
  far.wire.resume();
  assert.equal(timers(), before);
  far.wire.pause();
  far.wire.destroy();
  await eventually("its close", () => far.sink.log.includes("closed"));
  assert.equal(timers(), before);
});

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

for (const name of ["tcp", "unix", "tls"]) {
  test(`${name}: an error of the socket closes the wire, and is told`, async (t) => {
    const [near, far] = await CARRIERS[name]!(t);
    const { socket } = near.wire as unknown as { readonly socket: Socket };
    // As TLS does it: Node tells of the error and leaves the socket open.
    socket.emit("error", Object.assign(new Error("read EIO"), { code: "EIO" }));
    await eventually(
      "both to close",
      () => near.sink.log.length === 1 && far.sink.log.at(-1)?.startsWith("closed") === true,
    );
    assert.deepEqual(near.sink.log, ["closed EIO"]);
  });
}
