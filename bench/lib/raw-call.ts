// Owns: connections that make GetUser calls with prebuilt frames and then stay open: the cheapest client there is, so that
// thousands of them fit beside a server. Must not know: which server answers.
// Invariant: a call that resolves was answered with grpc-status 0.

import { connect, type Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type Fields,
  FrameTrace,
  frames,
  type HeadersBuilder,
} from "../../packages/volant/src/testing/frame-factory.ts";
import { GetUserRequestSchema } from "../../services/users/src/gen/user_pb.ts";
import { REQUESTED_ID } from "../user-response.ts";

const PREFIX_BYTES = 5;

/** GetUser's request as one message with its prefix. */
export function createGetUserMessage(): Buffer {
  const request = toBinary(GetUserRequestSchema, create(GetUserRequestSchema, { userId: REQUESTED_ID }));
  const message = Buffer.alloc(PREFIX_BYTES + request.length);
  message.writeUInt32BE(request.length, 1);
  message.set(request, PREFIX_BYTES);
  return message;
}

/** HEADERS of a gRPC request, without its end. */
export function createRequestHeaders(streamId: number, method = "GetUser"): Buffer {
  return createRequestBuilder(streamId, [], method).bytes();
}

/** The same under construction, with more fields. */
export function createRequestBuilder(streamId: number, more: Fields, method = "GetUser"): HeadersBuilder {
  return frames
    .headers(streamId)
    .request("POST", `/user.UserService/${method}`, [
      ["te", "trailers"],
      ["content-type", "application/grpc"],
      ...more,
    ]);
}

export class RawConnection {
  private readonly socket: Socket;
  private readonly trace = new FrameTrace();
  private nextStreamId = 1;
  private waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  private failure: Error | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => this.receive(bytes));
    socket.on("error", (error) => this.fail(error));
    socket.on("close", () => this.fail(new Error("the server closed an idle connection")));
    socket.write(Buffer.concat([frames.preface, frames.settings().bytes()]));
  }

  static async open(port: number): Promise<RawConnection> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connect({ port, host: "127.0.0.1" }, resolve);
    socket.once("error", reject);
    await promise;
    socket.off("error", reject);
    return new RawConnection(socket);
  }

  /** One GetUser call; one at a time. */
  async call(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.waiting = { resolve, reject };
    const streamId = this.nextStreamId;
    this.nextStreamId += 2;
    const content = frames.data(streamId, createGetUserMessage()).endStream().bytes();
    this.socket.write(Buffer.concat([createRequestHeaders(streamId), content]));
    await promise;
  }

  close(): void {
    this.failure ??= new Error("this connection is closed");
    this.socket.destroy();
  }

  private receive(bytes: Buffer): void {
    for (const { text } of this.trace.read(bytes)) {
      if (text.startsWith("SETTINGS") && text !== "SETTINGS ack") this.socket.write(frames.settingsAck().bytes());
      if (text.startsWith("HEADERS") && text.includes("grpc-status=")) this.settle(text);
      if (text.startsWith("GOAWAY") || text.startsWith("RST_STREAM")) this.fail(new Error(`the server sent ${text}`));
    }
  }

  private settle(text: string): void {
    const { waiting } = this;
    this.waiting = undefined;
    if (/ grpc-status=0( |$)/.test(text)) waiting?.resolve();
    else waiting?.reject(new Error(`a call ended with ${text}`));
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.waiting?.reject(this.failure);
  }
}

const OPENED_AT_ONCE = 50;

/** Opens `count` connections and makes one call on each, some at a time so that no backlog overflows. */
export async function openAll(port: number, count: number): Promise<RawConnection[]> {
  const opened: RawConnection[] = [];
  while (opened.length < count) {
    const length = Math.min(OPENED_AT_ONCE, count - opened.length);
    const some = await Promise.all(Array.from({ length }, () => RawConnection.open(port)));
    opened.push(...some);
    await Promise.all(some.map((connection) => connection.call()));
  }
  return opened;
}
