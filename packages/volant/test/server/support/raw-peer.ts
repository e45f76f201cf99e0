/**
 * A client that sends whatever it is told, over a real socket: legal, illegal, half of it, or nothing. Owns the socket and
 * the reading of what the server answers, a line a frame.
 */
import { connect, type Socket } from "node:net";
import { type FrameBuilder, FrameTrace, frames } from "../../../src/testing/frame-factory.ts";
import { eventually, type Lab } from "../../../src/testing/index.ts";

type Sendable = Buffer | FrameBuilder;

export class RawPeer {
  readonly socket: Socket;
  /** One line a frame, SETTINGS and WINDOW_UPDATE left out. */
  readonly lines: string[] = [];
  /** Payloads of DATA by stream. */
  readonly bodies = new Map<number, Buffer>();
  /** Every octet received. */
  raw: Buffer = Buffer.alloc(0);
  isClosed = false;
  private readonly trace = new FrameTrace();
  private readonly isHttp2: boolean;

  private constructor(socket: Socket, isHttp2: boolean) {
    this.socket = socket;
    this.isHttp2 = isHttp2;
    socket.on("data", (chunk: Buffer) => this.receive(chunk));
    // A server that closes while we write is part of many tests; `isClosed` tells of it.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.isClosed = true;
    });
  }

  /** Connected, with nothing sent. */
  static async open(lab: Lab, isHttp2 = true): Promise<RawPeer> {
    const socket = connect({ port: lab.port, host: "127.0.0.1", noDelay: true });
    const peer = new RawPeer(socket, isHttp2);
    lab.defer(() => socket.destroy());
    await eventually("the socket to connect", () => socket.readyState === "open");
    return peer;
  }

  /** After preface and SETTINGS of both sides. `window` is what the server may send on a stream. */
  static async ready(lab: Lab, window = 65_535): Promise<RawPeer> {
    const peer = await RawPeer.open(lab);
    peer.send(frames.preface, frames.settings([4, window]));
    await eventually("the server's SETTINGS", () => peer.raw.length > 0);
    peer.send(frames.settingsAck());
    return peer;
  }

  send(...parts: readonly Sendable[]): this {
    this.socket.write(Buffer.concat(parts.map((part) => (Buffer.isBuffer(part) ? part : part.bytes()))));
    return this;
  }

  /** The lines of one stream, once it has ended. */
  async answer(streamId: number): Promise<string[]> {
    const mine = (): string[] => this.lines.filter((line) => line.split(" ")[1] === String(streamId));
    await eventually(`the end of stream ${streamId}`, () => mine().some((line) => / end( |$)|^RST_STREAM/.test(line)));
    return mine();
  }

  async line(pattern: RegExp): Promise<string> {
    await eventually(`a frame like ${pattern}`, () => this.lines.some((line) => pattern.test(line)));
    return this.lines.find((line) => pattern.test(line))!;
  }

  closed(): Promise<void> {
    return eventually("the server to close the connection", () => this.isClosed);
  }

  private receive(chunk: Buffer): void {
    this.raw = Buffer.concat([this.raw, chunk]);
    if (!this.isHttp2) return;
    for (const { type, streamId, payload, text } of this.trace.read(chunk)) {
      if (type === 0) {
        this.bodies.set(streamId, Buffer.concat([this.bodies.get(streamId) ?? Buffer.alloc(0), payload]));
      }
      if (!/^(SETTINGS|WINDOW_UPDATE)/.test(text)) this.lines.push(text);
    }
  }
}

export const GRPC_FIELDS = [
  ["te", "trailers"],
  ["content-type", "application/grpc"],
] as const;

/** Request headers of a method of the lab. */
export function call(streamId: number, method: string, more: readonly (readonly [string, string])[] = []) {
  return frames.headers(streamId).request("POST", `/volant.test.Lab/${method}`, [...GRPC_FIELDS, ...more]);
}

/** A gRPC message with any flag and declared length. */
export function prefixed(message: Uint8Array, flag = 0, length: number = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}
