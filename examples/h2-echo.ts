/**
 * HTTP/2 without a framework: a server that echoes request bodies, straight on the sans-IO core and `node:net`.
 *
 * It shows the whole contract of a driver (see `http2/connection.ts`). Run it with a port, and PEM files for TLS:
 * `npm run example h2-echo 8080 [cert.pem key.pem]`, then `curl --http2-prior-knowledge -d hello http://127.0.0.1:8080/`.
 */
import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Fault, Http2Sink, Http2Stream } from "volant/http2";
import { encodeStaticBlock, Http2Connection, Indexing, releaseBuffer, resolveHttp2Options } from "volant/http2";

const HEADERS = encodeStaticBlock([{ name: ":status", value: "200", indexing: Indexing.WITHOUT }]);
const GREETING = Buffer.from("hello\n");

class EchoConnection implements Http2Sink {
  private readonly http2 = new Http2Connection("server", resolveHttp2Options(), this);
  private readonly socket: Socket;
  private timer: NodeJS.Timeout | undefined;
  private isWriting = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.drive(() => this.http2.receive(bytes as Buffer, performance.now())));
    socket.on("close", () => this.drive(() => this.http2.handleTransportClosed()));
    socket.on("error", () => socket.destroy());
    this.drive(() => this.http2.start(performance.now()));
  }

  private drive(step: () => void): void {
    step();
    clearTimeout(this.timer);
    this.flush();
    const leftMs = this.http2.nextTimeout() - performance.now();
    const onDue = () => this.drive(() => this.http2.handleTimeout(performance.now()));
    if (leftMs < Number.POSITIVE_INFINITY) this.timer = setTimeout(onDue, Math.max(1, leftMs)).unref();
  }

  private flush(): void {
    while (!this.isWriting && !this.socket.destroyed) {
      const taken = this.http2.takeOutput();
      if (taken === undefined) break;
      this.isWriting = !this.socket.write(taken.bytes, () => releaseBuffer(taken.owner));
      if (this.isWriting) this.socket.once("drain", () => this.drive(() => this.resume()));
      this.http2.handleRoom();
    }
    if (this.http2.isClosed && !this.isWriting) this.socket.destroySoon();
    else if (!this.http2.mayRead) {
      this.socket.pause();
      this.http2.handlePause(true, performance.now());
    }
  }

  private resume(): void {
    this.isWriting = false;
    this.socket.resume();
    this.http2.handlePause(false, performance.now());
    this.http2.handleRoom();
  }

  onHeaders(stream: Http2Stream, _fields: unknown, endStream: boolean): void {
    this.http2.sendHeaders(stream, HEADERS, false);
    if (endStream) this.http2.sendData(stream, GREETING, true);
  }

  onData(stream: Http2Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const mayGoOn = this.http2.sendData(stream, Buffer.from(bytes.subarray(start, end)), endStream);
    // What is not consumed yet closes the peer's window, so a client that reads nothing cannot make us hold more.
    if (mayGoOn) this.http2.consume(stream, end - start);
    else stream.context = ((stream.context as number | undefined) ?? 0) + end - start;
  }

  onWritable(stream: Http2Stream): void {
    this.http2.consume(stream, stream.context as number);
    stream.context = 0;
  }

  onTrailers(stream: Http2Stream): void {
    this.http2.sendData(stream, GREETING, true);
  }

  onClosed(fault: Fault): void {
    if (fault.code !== 0) console.error(`connection ended: ${fault.cause}`);
  }

  onReset(): void {}
  onSettings(): void {}
  onGoAway(): void {}
  onPingAck(): void {}
  onOutput(): void {}
}

const [port = "0", cert, key] = process.argv.slice(2);
const accept = (socket: Socket): void => void new EchoConnection(socket);
const server =
  cert && key
    ? createTlsServer({ cert: readFileSync(cert), key: readFileSync(key), ALPNProtocols: ["h2"] }, accept)
    : createServer(accept);
server.listen(Number(port), "127.0.0.1", () => console.log(JSON.stringify(server.address())));
