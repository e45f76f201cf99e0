/**
 * An HTTP/2 client on the core: whole requests with bodies and trailers, and streams to play with. Owns the queue of
 * requests that wait for the server to allow another stream.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ErrorCode, Fault, GoAway, Http2Options, Http2Stream } from "volant/http2";
import { SocketDriver, toFields } from "./socket-driver.ts";

const PIECE_BYTES = 65_536;

export interface Answer {
  readonly status: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly trailers: ReadonlyMap<string, string>;
}

/** Why a stream ended before its answer did. */
export class StreamReset extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    super(`the stream was reset with code ${code}`);
    this.code = code;
  }
}

export interface RequestInit {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly trailers?: Readonly<Record<string, string>>;
  /** The body is not ended: `finish` on the exchange does that. */
  readonly isOpen?: boolean;
}

/** One request under way. */
export class Exchange {
  readonly answer: Promise<Answer>;
  /** Settles at the response headers. */
  readonly answered: Promise<void>;
  readonly init: RequestInit;
  /** Set once it has a stream. */
  stream: Http2Stream | undefined;
  rest: Buffer;
  /** Nothing follows the rest. */
  isEnding: boolean;
  private readonly headers = new Map<string, string>();
  private readonly trailers = new Map<string, string>();
  private readonly chunks: Buffer[] = [];
  private readonly settled = Promise.withResolvers<Answer>();
  private readonly head = Promise.withResolvers<void>();

  constructor(init: RequestInit) {
    this.init = init;
    this.rest = init.body ?? Buffer.alloc(0);
    this.isEnding = init.isOpen !== true;
    this.answer = this.settled.promise;
    this.answered = this.head.promise;
    // Whoever waits for one of the two hears of a failure there; the other must not be reported as unhandled.
    this.answer.catch(() => {});
    this.answered.catch(() => {});
  }

  addHeaders(fields: Iterable<{ readonly name: string; readonly value: string }>): void {
    for (const { name, value } of fields) this.headers.set(name, value);
    this.head.resolve();
  }

  addTrailers(fields: Iterable<{ readonly name: string; readonly value: string }>): void {
    for (const { name, value } of fields) this.trailers.set(name, value);
  }

  addData(bytes: Buffer): void {
    this.chunks.push(bytes);
  }

  finish(): void {
    const { headers, trailers } = this;
    this.settled.resolve({ status: headers.get(":status") ?? "", headers, body: Buffer.concat(this.chunks), trailers });
  }

  fail(error: Error): void {
    this.head.reject(error);
    this.settled.reject(error);
  }
}

export class CoreClient {
  readonly driver: SocketDriver;
  readonly gone: Promise<Fault | undefined>;
  private readonly scheme: string;
  private readonly goAways: GoAway[] = [];
  private readonly waiting: Exchange[] = [];
  private readonly open = new Set<Exchange>();
  private readonly goAwayArrived = Promise.withResolvers<GoAway>();
  private readonly pings = new Map<number, () => void>();

  private constructor(socket: Socket, scheme: string, options: Http2Options, onReady: () => void) {
    this.scheme = scheme;
    this.driver = new SocketDriver(
      "client",
      socket,
      {
        onSettings: () => {
          onReady();
          this.startWaiting();
        },
        onHeaders: (stream, fields, endStream) => {
          exchangeOf(stream).addHeaders(fields);
          if (endStream) this.finish(stream);
        },
        onData: (stream, bytes, start, end, endStream) => {
          exchangeOf(stream).addData(Buffer.from(bytes.subarray(start, end)));
          this.driver.http2.consume(stream, end - start);
          if (endStream) this.finish(stream);
        },
        onTrailers: (stream, fields) => {
          exchangeOf(stream).addTrailers(fields);
          this.finish(stream);
        },
        onWritable: (stream) => this.pump(exchangeOf(stream)),
        onReset: (stream, code) => this.fail(exchangeOf(stream), new StreamReset(code)),
        onGoAway: (goAway) => {
          this.goAways.push(goAway);
          this.goAwayArrived.resolve(goAway);
        },
        onPingAck: (opaque) => this.pings.get(opaque)?.(),
        onClosed: (fault) => this.failAll(new Error(`the connection ended: ${fault.cause}`)),
      },
      options,
    );
    this.gone = this.driver.gone;
  }

  /** Resolves when the server's SETTINGS are there. With `ca` over TLS. */
  static async connect(port: number, options: Http2Options = {}, ca?: string): Promise<CoreClient> {
    const socket = ca === undefined ? await openPlain(port) : await openTls(port, ca);
    const ready = Promise.withResolvers<void>();
    const client = new CoreClient(socket, ca === undefined ? "http" : "https", options, () => ready.resolve());
    void client.gone.then(() => ready.reject(new Error("the connection ended before it was ready")));
    await ready.promise;
    return client;
  }

  /** The first GOAWAY of the server. */
  get goAway(): Promise<GoAway> {
    return this.goAwayArrived.promise;
  }

  get canOpenStream(): boolean {
    return this.driver.http2.canOpenStream;
  }

  /** Starts a request, as soon as the server allows another stream. */
  start(init: RequestInit): Exchange {
    const exchange = new Exchange(init);
    this.waiting.push(exchange);
    this.startWaiting();
    return exchange;
  }

  request(init: RequestInit): Promise<Answer> {
    return this.start(init).answer;
  }

  /** The rest of a request that was started open. */
  end(exchange: Exchange, body: Buffer): void {
    exchange.rest = body;
    exchange.isEnding = true;
    this.pump(exchange);
  }

  reset(exchange: Exchange, code: ErrorCode): void {
    this.driver.http2.resetStream(exchange.stream!, code);
    this.fail(exchange, new StreamReset(code));
  }

  ping(opaque: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.pings.set(opaque, resolve);
    this.driver.http2.sendPing(opaque);
    return promise;
  }

  async close(): Promise<void> {
    this.driver.close();
    await this.gone;
  }

  private startWaiting(): void {
    while (this.waiting.length > 0 && this.canOpenStream) this.startNow(this.waiting.shift()!);
  }

  private startNow(exchange: Exchange): void {
    const { http2 } = this.driver;
    const { method = "GET", path, headers = {}, body, trailers, isOpen = false } = exchange.init;
    const pseudo = { ":method": method, ":scheme": this.scheme, ":authority": "127.0.0.1", ":path": path };
    const stream = http2.openStream();
    exchange.stream = stream;
    stream.context = exchange;
    this.open.add(exchange);
    const hasBody = body !== undefined || trailers !== undefined || isOpen;
    http2.sendHeaders(stream, toFields(Object.entries({ ...pseudo, ...headers })), !hasBody);
    if (hasBody) this.pump(exchange);
  }

  private pump(exchange: Exchange): void {
    const { http2 } = this.driver;
    const { isEnding } = exchange;
    const stream = exchange.stream!;
    const { trailers } = exchange.init;
    for (let mayGoOn = true; mayGoOn; ) {
      const piece = exchange.rest.subarray(0, PIECE_BYTES);
      exchange.rest = exchange.rest.subarray(piece.length);
      const isLast = exchange.rest.length === 0;
      if (piece.length > 0 || (isLast && isEnding && trailers === undefined)) {
        mayGoOn = http2.sendData(stream, piece, isLast && isEnding && trailers === undefined);
      }
      if (!isLast) continue;
      if (isEnding && trailers !== undefined) http2.sendTrailers(stream, toFields(Object.entries(trailers)));
      return;
    }
  }

  private finish(stream: Http2Stream): void {
    const exchange = exchangeOf(stream);
    this.open.delete(exchange);
    exchange.finish();
    // The stream counts against the server's limit until this callback is over.
    setImmediate(() => this.startWaiting());
  }

  private fail(exchange: Exchange, error: Error): void {
    this.open.delete(exchange);
    exchange.fail(error);
    setImmediate(() => this.startWaiting());
  }

  private failAll(error: Error): void {
    for (const exchange of [...this.open, ...this.waiting.splice(0)]) this.fail(exchange, error);
  }
}

async function openPlain(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

async function openTls(port: number, ca: string): Promise<Socket> {
  const socket = connectTls({ port, host: "127.0.0.1", servername: "localhost", ca, ALPNProtocols: ["h2"] });
  await once(socket, "secureConnect");
  if (socket.alpnProtocol === "h2") return socket;
  socket.destroy();
  throw new Error(`the server chose ${String(socket.alpnProtocol)} and not h2`);
}

function exchangeOf(stream: Http2Stream): Exchange {
  return stream.context as Exchange;
}
