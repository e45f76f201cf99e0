/**
 * A relay between a client and a server of cleartext gRPC that notes of each message whether it was compressed, which no API
 * tells on either side. Owns the reading of frames as they pass; changes nothing of them.
 *
 * gRPC PROTOCOL-HTTP2 "Length-Prefixed-Message": the first octet of a message is 1 where it is compressed.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { FrameType } from "../../packages/volant/src/http2/frame-type.ts";
import { FrameTrace } from "../../packages/volant/src/testing/frame-factory.ts";

const PREFIX_BYTES = 5;

/** Where a stream is among its messages. */
interface MessageCursor {
  prefix: Buffer;
  bodyBytesLeft: number;
}

export class MessageTap {
  /** Of all connections. */
  readonly requests: boolean[] = [];
  readonly responses: boolean[] = [];
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  /** Of each connection to the server, by the port it comes from. */
  private readonly requestsByPort = new Map<number, boolean[]>();

  private constructor(targetPort: number) {
    this.server = createServer({ allowHalfOpen: true }, (socket) => {
      this.relay(socket, connect({ port: targetPort, host: "127.0.0.1", allowHalfOpen: true }));
    });
  }

  /** Port 0 takes a free one. */
  static async listen(targetPort: number, port = 0): Promise<MessageTap> {
    const tap = new MessageTap(targetPort);
    tap.server.listen(port, "127.0.0.1");
    await once(tap.server, "listening");
    return tap;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Whether the next request message of a connection was compressed; each is told once. `address` is the server's peer. */
  takeRequest(address: string): boolean | undefined {
    return this.requestsByPort.get(Number(address.slice(address.lastIndexOf(":") + 1)))?.shift();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, "close");
  }

  private relay(client: Socket, server: Socket): void {
    const requests: boolean[] = [];
    // Before that no octet can have reached the server.
    server.once("connect", () => this.requestsByPort.set(server.localPort ?? 0, requests));
    this.pass(client, server, (isCompressed) => {
      requests.push(isCompressed);
      this.requests.push(isCompressed);
    });
    this.pass(server, client, (isCompressed) => this.responses.push(isCompressed));
  }

  private pass(from: Socket, to: Socket, onMessage: (isCompressed: boolean) => void): void {
    const messages = new MessageReader(onMessage);
    this.sockets.add(from);
    from.on("data", (chunk: Buffer) => {
      messages.read(chunk);
      if (!to.write(chunk)) from.pause();
    });
    to.on("drain", () => from.resume());
    from.once("end", () => to.end());
    // Either end may be cut off; the other one then learns it from us.
    from.on("error", () => to.destroy());
    from.once("close", () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }
}

class MessageReader {
  private readonly onMessage: (isCompressed: boolean) => void;
  private readonly trace = new FrameTrace();
  private readonly streams = new Map<number, MessageCursor>();

  constructor(onMessage: (isCompressed: boolean) => void) {
    this.onMessage = onMessage;
  }

  read(chunk: Buffer): void {
    for (const { type, streamId, payload } of this.trace.read(chunk)) {
      if (type === FrameType.DATA) this.readData(streamId, payload);
    }
  }

  private readData(streamId: number, payload: Buffer): void {
    const cursor = this.streams.get(streamId) ?? { prefix: Buffer.alloc(0), bodyBytesLeft: 0 };
    this.streams.set(streamId, cursor);
    let rest = payload;
    while (rest.length > 0) {
      const body = Math.min(cursor.bodyBytesLeft, rest.length);
      cursor.bodyBytesLeft -= body;
      rest = rest.subarray(body);
      if (rest.length === 0) return;
      const missing = PREFIX_BYTES - cursor.prefix.length;
      cursor.prefix = Buffer.concat([cursor.prefix, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (cursor.prefix.length < PREFIX_BYTES) return;
      cursor.bodyBytesLeft = cursor.prefix.readUInt32BE(1);
      this.onMessage(cursor.prefix[0] === 1);
      cursor.prefix = Buffer.alloc(0);
    }
  }
}
