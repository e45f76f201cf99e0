/**
 * An HTTP/2 server on the core with paths for what a suite wants to see. Any method with a body is echoed, trailers too.
 *
 *   /              a short text           /bytes/N     N octets of pattern
 *   /trailers      a text and trailers    /headers/N   a header of N octets
 *   /reset/CODE    a reset                /early       an answer that does not wait for the body
 *   /drain         GOAWAY, then a text    /never       nothing
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { ErrorCode, HeaderField, Http2Options, Http2Stream } from "volant/http2";
import type { Identity } from "../../packages/volant/test/tls/support/certificates.ts";
import { patternBody } from "./body.ts";
import { SocketDriver, toFields } from "./socket-driver.ts";

const GREETING = Buffer.from("hello\n");
const PIECE_BYTES = 65_536;

/** What is still to be done for a stream. */
interface Answer {
  /** Left to send of a body of our own. */
  body: Buffer;
  trailers: readonly (readonly [string, string])[];
  /** Octets of an echoed body that are not granted again while the client reads nothing. */
  owed: number;
  isIgnored: boolean;
}

export interface EchoServer {
  readonly port: number;
  /** Connections open now. */
  readonly connections: ReadonlySet<EchoConnection>;
  /** Octets of request bodies that arrived so far, all streams together. */
  readonly receivedBytes: () => number;
  close(): Promise<void>;
}

/** With `identity` over TLS, where a client has to choose HTTP/2 by ALPN. */
export async function startEchoServer(options: Http2Options = {}, identity?: Identity): Promise<EchoServer> {
  const connections = new Set<EchoConnection>();
  let receivedBytes = 0;
  const accept = (socket: Socket): void => {
    const connection = new EchoConnection(socket, options, (bytes) => {
      receivedBytes += bytes;
    });
    connections.add(connection);
    void connection.driver.gone.then(() => connections.delete(connection));
  };
  const listener =
    identity === undefined
      ? createServer(accept)
      : createTlsServer({ cert: identity.cert, key: identity.key, ALPNProtocols: ["h2"] }, accept);
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const close = async (): Promise<void> => {
    const closed = once(listener, "close");
    listener.close();
    for (const { driver } of connections) driver.close();
    await closed;
  };
  return { port: (listener.address() as AddressInfo).port, connections, receivedBytes: () => receivedBytes, close };
}

export class EchoConnection {
  readonly driver: SocketDriver;
  /** Codes of the streams that the client reset. */
  readonly resets: ErrorCode[] = [];
  private readonly onBytes: (bytes: number) => void;

  constructor(socket: Socket, options: Http2Options, onBytes: (bytes: number) => void) {
    this.onBytes = onBytes;
    const react = {
      onHeaders: (stream: Http2Stream, fields: HeaderField[], endStream: boolean) =>
        this.onRequest(stream, fields, endStream),
      onData: (stream: Http2Stream, bytes: Buffer, start: number, end: number, endStream: boolean) =>
        this.onData(stream, bytes, start, end, endStream),
      onTrailers: (stream: Http2Stream, fields: HeaderField[]) => this.onTrailers(stream, fields),
      onWritable: (stream: Http2Stream) => this.onWritable(stream),
      onReset: (_stream: Http2Stream, code: ErrorCode) => void this.resets.push(code),
    };
    this.driver = new SocketDriver("server", socket, react, options);
  }

  private onRequest(stream: Http2Stream, fields: readonly HeaderField[], endStream: boolean): void {
    const path = fields.find(({ name }) => name === ":path")?.value ?? "/";
    const [, command = "", argument = ""] = path.split("/");
    const answer: Answer = { body: Buffer.alloc(0), trailers: [], owed: 0, isIgnored: true };
    stream.context = answer;
    if (command === "never") return;
    if (command === "reset") this.driver.http2.resetStream(stream, Number(argument) as ErrorCode);
    else if (endStream || command === "early") this.answer(stream, answer, command, argument);
    else {
      answer.isIgnored = false;
      this.sendHead(stream);
    }
    if (command === "early") this.driver.http2.resetWhenDone(stream);
  }

  private answer(stream: Http2Stream, answer: Answer, command: string, argument: string): void {
    if (command === "drain") this.driver.http2.beginDrain(performance.now());
    answer.body = command === "bytes" ? patternBody(Number(argument)) : GREETING;
    if (command === "trailers") answer.trailers = [["x-check", "1"]];
    this.sendHead(stream, command === "headers" ? [["x-large", "v".repeat(Number(argument))]] : []);
    this.pump(stream, answer);
  }

  private sendHead(stream: Http2Stream, extra: readonly (readonly [string, string])[] = []): void {
    const fields = [[":status", "200"], ["content-type", "application/octet-stream"], ...extra] as const;
    this.driver.http2.sendHeaders(stream, toFields(fields), false);
  }

  /** Sends in pieces, so that what the client does not read waits here and not in the connection. */
  private pump(stream: Http2Stream, answer: Answer): void {
    const { http2 } = this.driver;
    for (let mayGoOn = true; mayGoOn; ) {
      const piece = answer.body.subarray(0, PIECE_BYTES);
      answer.body = answer.body.subarray(piece.length);
      const isLast = answer.body.length === 0;
      mayGoOn = http2.sendData(stream, piece, isLast && answer.trailers.length === 0);
      if (!isLast) continue;
      if (answer.trailers.length > 0) http2.sendTrailers(stream, toFields(answer.trailers));
      return;
    }
  }

  private onData(stream: Http2Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const { http2 } = this.driver;
    const answer = stream.context as Answer;
    this.onBytes(end - start);
    if (answer.isIgnored) {
      http2.consume(stream, end - start);
      return;
    }
    if (http2.sendData(stream, Buffer.from(bytes.subarray(start, end)), endStream)) http2.consume(stream, end - start);
    else answer.owed += end - start;
  }

  private onTrailers(stream: Http2Stream, fields: readonly HeaderField[]): void {
    const answer = stream.context as Answer;
    if (answer.isIgnored) return;
    const trailers = fields.map(({ name, value }) => [name, value] as const);
    this.driver.http2.sendTrailers(stream, toFields(trailers));
  }

  private onWritable(stream: Http2Stream): void {
    const answer = stream.context as Answer;
    if (answer.owed > 0) {
      this.driver.http2.consume(stream, answer.owed);
      answer.owed = 0;
    }
    if (answer.body.length > 0) this.pump(stream, answer);
  }
}
