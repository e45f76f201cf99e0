/**
 * Differential smoke test: the core against `node:http2` (nghttp2) in both roles, over loopback.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import type { OutboundField } from "../../src/http2/hpack/index.ts";
import type { Http2Options } from "../../src/http2/options.ts";
import type { Http2Stream } from "../../src/http2/stream.ts";
import { NetDriver } from "./net-driver.ts";

const BODY_SIZES = [0, 1, 100 * 1024];

const fields = (...pairs: readonly (readonly [string, string])[]): OutboundField[] =>
  pairs.map(([name, value]) => ({ name, value, indexing: 0 }));

function body(bytes: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, index) => index % 251));
}

/** Our server, which echoes bodies and trailers, with a node:http2 client connected to it. */
async function withNodeClient(
  use: (session: http2.ClientHttp2Session, server: NetDriver) => Promise<void>,
  options: Http2Options = {},
): Promise<void> {
  const accepted = Promise.withResolvers<NetDriver>();
  const listener = createServer((socket) => accepted.resolve(echo(new NetDriver("server", socket, options))));
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const session = http2.connect(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`);
  const server = await accepted.promise;
  try {
    await use(session, server);
  } finally {
    session.destroy();
    await server.gone;
    listener.close();
    await once(listener, "close");
  }
  assert.equal(server.http2.windows.held, 0);
}

function echo(driver: NetDriver): NetDriver {
  const { http2: core } = driver;
  const answered = new WeakSet<Http2Stream>();
  return driver.react({
    onHeaders(stream, list, endStream) {
      if (list.some((field) => field.value === "/never")) return;
      answered.add(stream);
      core.sendHeaders(stream, fields([":status", "200"], ["content-type", "application/octet-stream"]), false);
      if (endStream) core.sendTrailers(stream, fields(["x-octets", "0"]));
    },
    onData(stream, bytes, start, end, endStream) {
      core.consume(stream, end - start);
      if (!answered.has(stream)) return;
      if (end > start) core.sendData(stream, Buffer.from(bytes.subarray(start, end)), false);
      if (endStream) core.sendTrailers(stream, fields(["x-end", "data"]));
    },
    onTrailers(stream, list) {
      core.sendTrailers(stream, fields(...list.map((field) => [field.name, field.value] as const)));
    },
  });
}

interface Answer {
  readonly status: number | undefined;
  readonly body: Buffer;
  readonly trailers: Record<string, unknown>;
}

async function request(
  session: http2.ClientHttp2Session,
  payload: Buffer,
  trailers?: Record<string, string>,
): Promise<Answer> {
  const stream = session.request({ ":method": "POST", ":path": "/echo" }, { waitForTrailers: trailers !== undefined });
  if (trailers !== undefined) stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  let status: number | undefined;
  let received: Record<string, unknown> = {};
  stream.on("response", (headers) => (status = headers[":status"]));
  stream.on("trailers", (headers) => (received = { ...headers }));
  stream.end(payload);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { status, body: Buffer.concat(chunks), trailers: received };
}

for (const bytes of BODY_SIZES) {
  test(`a node:http2 client gets its ${bytes} octets back from our server, with trailers`, async () => {
    await withNodeClient(async (session) => {
      const plain = await request(session, body(bytes));
      assert.deepEqual([plain.status, plain.body.equals(body(bytes))], [200, true]);
      const trailed = await request(session, body(bytes), { "x-check": "1", "x-check-2": "b" });
      assert.equal(trailed.body.equals(body(bytes)), true);
      assert.deepEqual(Object.entries(trailed.trailers), Object.entries({ "x-check": "1", "x-check-2": "b" }));
    });
  });
}

test("50 node:http2 requests at once, through small windows and small tables of our server", async () => {
  const options = { initialStreamWindowBytes: 2_000, connectionWindowBytes: 65_535, headerTableBytes: 0 };
  await withNodeClient(async (session, server) => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => request(session, body(index * 1_000))));
    for (const [index, answer] of answers.entries()) assert.equal(answer.body.equals(body(index * 1_000)), true);
    assert.equal(server.http2.streamCount, 0);
  }, options);
});

test("a node:http2 client's reset reaches our server, and ours reaches it", async () => {
  await withNodeClient(async (session, server) => {
    const reset = Promise.withResolvers<number>();
    server.sink.react.onReset = (_stream, code) => reset.resolve(code);
    const cancelled = session.request({ ":method": "POST", ":path": "/never" });
    cancelled.on("error", () => assert.fail("a cancel is no error of the client"));
    cancelled.write("x");
    await once(session, "remoteSettings");
    cancelled.close(http2.constants.NGHTTP2_CANCEL);
    assert.equal(await reset.promise, http2.constants.NGHTTP2_CANCEL);

    const opened = Promise.withResolvers<Http2Stream>();
    server.sink.react.onHeaders = (stream) => opened.resolve(stream);
    const refused = session.request({ ":method": "POST", ":path": "/never" });
    const failure = Promise.withResolvers<void>();
    refused.on("error", () => failure.resolve());
    server.http2.resetStream(await opened.promise, http2.constants.NGHTTP2_REFUSED_STREAM);
    await failure.promise;
    assert.equal(refused.rstCode, http2.constants.NGHTTP2_REFUSED_STREAM);
    assert.equal(server.http2.streamCount, 0);
  });
});

test("a drain of our server lets a node:http2 client's open request finish", async () => {
  await withNodeClient(async (session, server) => {
    const goAway = once(session, "goaway");
    const stream = session.request({ ":method": "POST", ":path": "/echo" });
    await once(stream, "response");
    server.http2.beginDrain(performance.now());
    const [code, lastStreamId] = await goAway;
    assert.deepEqual([code, lastStreamId], [0, 0x7fff_ffff]);
    stream.end("late but fine");
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    assert.equal(Buffer.concat(chunks).toString(), "late but fine");
  });
});

/** A node:http2 server with our client connected to it. */
async function withNodeServer(
  handle: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
  use: (client: NetDriver, sessions: http2.ServerHttp2Session[]) => Promise<void>,
  options: Http2Options = {},
): Promise<void> {
  const sessions: http2.ServerHttp2Session[] = [];
  const server = http2.createServer({ settings: { maxConcurrentStreams: 60 } });
  server.on("session", (session) => sessions.push(session));
  server.on("stream", (stream, headers) => {
    stream.on("error", () => stream.destroy());
    handle(stream, headers);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket: Socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  await once(socket, "connect");
  const client = new NetDriver("client", socket, options);
  const ready = Promise.withResolvers<void>();
  client.react({ onSettings: () => ready.resolve() });
  await ready.promise;
  try {
    await use(client, sessions);
  } finally {
    client.close();
    await client.gone;
    server.close();
    await once(server, "close");
  }
}

interface Exchange {
  status: string | undefined;
  readonly chunks: Buffer[];
  trailers: string;
  readonly done: PromiseWithResolvers<void>;
}

/** Sends requests with our client and collects the answers. */
class Requests {
  private readonly client: NetDriver;

  constructor(client: NetDriver) {
    this.client = client;
    const { http2: core } = client;
    client.react({
      onHeaders(stream, list, endStream) {
        const exchange = stream.context as Exchange;
        exchange.status = list.find((field) => field.name === ":status")?.value;
        if (endStream) exchange.done.resolve();
      },
      onData(stream, bytes, start, end, endStream) {
        const exchange = stream.context as Exchange;
        exchange.chunks.push(Buffer.from(bytes.subarray(start, end)));
        core.consume(stream, end - start);
        if (endStream) exchange.done.resolve();
      },
      onTrailers(stream, list) {
        const exchange = stream.context as Exchange;
        exchange.trailers = list.map((field) => `${field.name}=${field.value}`).join();
        exchange.done.resolve();
      },
      onReset: (stream, code) => (stream.context as Exchange).done.reject(new Error(`reset ${code}`)),
    });
  }

  start(path: string): [Http2Stream, Exchange] {
    const { http2: core } = this.client;
    const stream = core.openStream();
    const exchange: Exchange = { status: undefined, chunks: [], trailers: "", done: Promise.withResolvers<void>() };
    stream.context = exchange;
    core.sendHeaders(
      stream,
      fields([":method", "POST"], [":scheme", "http"], [":authority", "a"], [":path", path]),
      false,
    );
    return [stream, exchange];
  }

  async send(path: string, payload: Buffer, trailers: OutboundField[] = []): Promise<Exchange> {
    const [stream, exchange] = this.start(path);
    if (trailers.length === 0) this.client.http2.sendData(stream, payload, true);
    else {
      this.client.http2.sendData(stream, payload, false);
      this.client.http2.sendTrailers(stream, trailers);
    }
    await exchange.done.promise;
    return exchange;
  }
}

function nodeEcho(stream: http2.ServerHttp2Stream): void {
  let received = "none";
  stream.respond({ ":status": 200 }, { waitForTrailers: true });
  stream.on("trailers", (headers) => (received = String(headers["x-check"])));
  stream.on("wantTrailers", () => stream.sendTrailers({ "x-received": received }));
  stream.pipe(stream);
}

for (const bytes of BODY_SIZES) {
  test(`our client gets its ${bytes} octets back from a node:http2 server, with trailers`, async () => {
    await withNodeServer(nodeEcho, async (client) => {
      const requests = new Requests(client);
      const plain = await requests.send("/", body(bytes));
      assert.deepEqual([plain.status, Buffer.concat(plain.chunks).equals(body(bytes))], ["200", true]);
      const trailed = await requests.send("/", body(bytes), fields(["x-check", "7"]));
      assert.equal(Buffer.concat(trailed.chunks).equals(body(bytes)), true);
      assert.equal(trailed.trailers, "x-received=7");
      assert.equal(client.http2.streamCount, 0);
    });
  });
}

test("50 requests of our client at once, through its small windows and tables", async () => {
  const options = { initialStreamWindowBytes: 2_000, connectionWindowBytes: 65_535, headerTableBytes: 0 };
  await withNodeServer(
    nodeEcho,
    async (client) => {
      const requests = new Requests(client);
      const sizes = Array.from({ length: 50 }, (_, index) => index * 1_000);
      const answers = await Promise.all(sizes.map((bytes) => requests.send("/", body(bytes))));
      for (const [index, answer] of answers.entries()) {
        assert.equal(Buffer.concat(answer.chunks).equals(body(sizes[index]!)), true);
      }
      assert.equal(client.http2.windows.held, 0);
    },
    options,
  );
});

test("resets between our client and a node:http2 server arrive both ways", async () => {
  const closed = Promise.withResolvers<number>();
  const handle = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
    if (headers[":path"] === "/refuse") stream.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
    else {
      stream.respond({ ":status": 200 });
      stream.on("close", () => closed.resolve(stream.rstCode));
    }
  };
  await withNodeServer(handle, async (client) => {
    const requests = new Requests(client);
    await assert.rejects(requests.send("/refuse", body(10)), /reset 11/);
    const [stream] = requests.start("/");
    const answered = Promise.withResolvers<void>();
    client.sink.react.onHeaders = () => answered.resolve();
    await answered.promise;
    client.http2.resetStream(stream, http2.constants.NGHTTP2_CANCEL);
    assert.equal(await closed.promise, http2.constants.NGHTTP2_CANCEL);
    assert.equal(client.http2.streamCount, 0);
  });
});

test("a node:http2 server's GOAWAY stops new streams of our client and lets the open one finish", async () => {
  await withNodeServer(nodeEcho, async (client, sessions) => {
    const requests = new Requests(client);
    const [stream, exchange] = requests.start("/");
    const goAway = Promise.withResolvers<number>();
    client.sink.react.onGoAway = ({ lastStreamId }) => goAway.resolve(lastStreamId);
    const answered = Promise.withResolvers<void>();
    client.sink.react.onHeaders = () => answered.resolve();
    await answered.promise;
    sessions[0]!.goaway(0, stream.id);
    assert.equal(await goAway.promise, stream.id);
    assert.equal(client.http2.canOpenStream, false);
    client.http2.sendData(stream, body(5_000), true);
    await exchange.done.promise;
    assert.equal(Buffer.concat(exchange.chunks).equals(body(5_000)), true);
  });
});
