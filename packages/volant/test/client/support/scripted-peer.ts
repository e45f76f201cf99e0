/**
 * A server that a test plays frame by frame, over TCP. Owns its sockets; it does nothing by itself, not even SETTINGS.
 *
 *   const peer = await ScriptedPeer.listen();
 *   const connection = await peer.accept();
 *   await connection.handshake();
 *   await connection.sees(/^HEADERS 1/);
 *   connection.write(frames.goAway(0, 0));
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { type Fields, FrameTrace, frames, type SentFrame } from "../../../src/testing/frame-factory.ts";
import { messageBytes } from "./echo-service.ts";

type Writable = Buffer | { bytes(): Buffer };

const GRPC_HEADERS: Fields = [["content-type", "application/grpc"]];

export class PeerConnection {
  readonly socket: Socket;
  /** Every frame that was seen, as text. */
  readonly log: string[] = [];
  private readonly trace = new FrameTrace();
  private readonly unseen: SentFrame[] = [];
  private waiter: (() => void) | undefined = undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes: Buffer) => {
      for (const frame of this.trace.read(bytes)) {
        this.unseen.push(frame);
        this.log.push(frame.text);
      }
      this.waiter?.();
    });
    socket.on("close", () => this.waiter?.());
  }

  write(...parts: readonly Writable[]): void {
    this.socket.write(Buffer.concat(parts.map((part) => (Buffer.isBuffer(part) ? part : part.bytes()))));
  }

  /** SETTINGS both ways. `settings` are ours. */
  async handshake(...settings: readonly (readonly [id: number, value: number])[]): Promise<void> {
    this.write(frames.settings(...settings), frames.settingsAck());
    await this.sees(/^SETTINGS ack/);
  }

  /** The next frame that matches; those in front of it are passed over. Rejects where the client closes before. */
  async sees(pattern: RegExp): Promise<SentFrame> {
    while (true) {
      for (let frame = this.unseen.shift(); frame !== undefined; frame = this.unseen.shift()) {
        if (pattern.test(frame.text)) return frame;
      }
      if (this.socket.destroyed) throw new Error(`closed without ${pattern}; seen: ${this.log.join(" | ")}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.waiter = resolve;
      await promise;
    }
  }

  /** A complete answer to a unary call. */
  answer(streamId: number, value: string): void {
    this.write(this.headers(streamId), frames.data(streamId, messageBytes(value)), this.trailers(streamId));
  }

  headers(streamId: number, more: Fields = []) {
    return frames.headers(streamId).response(200, [...GRPC_HEADERS, ...more]);
  }

  trailers(streamId: number, status = "0", more: Fields = []) {
    return frames
      .headers(streamId)
      .fields([["grpc-status", status], ...more])
      .endStream();
  }

  async closed(): Promise<void> {
    if (!this.socket.destroyed) await once(this.socket, "close");
  }

  destroy(): void {
    this.socket.destroy();
  }
}

export class ScriptedPeer {
  readonly port: number;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly arrived: PeerConnection[] = [];
  private waiter: ((connection: PeerConnection) => void) | undefined = undefined;
  /** Connections so far. */
  count = 0;

  private constructor(server: Server) {
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket) => this.onConnection(socket));
  }

  static async listen(): Promise<ScriptedPeer> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ScriptedPeer(server);
  }

  get target(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The next connection. */
  async accept(): Promise<PeerConnection> {
    const connection = this.arrived.shift();
    if (connection !== undefined) return connection;
    return new Promise((resolve) => {
      this.waiter = resolve;
    });
  }

  /** The next connection, where it is there already. */
  takeArrived(): PeerConnection | undefined {
    return this.arrived.shift();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, "close");
  }

  private onConnection(socket: Socket): void {
    this.count++;
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    const connection = new PeerConnection(socket);
    const { waiter } = this;
    this.waiter = undefined;
    if (waiter === undefined) this.arrived.push(connection);
    else waiter(connection);
  }
}
