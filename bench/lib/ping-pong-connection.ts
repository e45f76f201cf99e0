// Owns: one connection on which UserChat streams play ping-pong with prebuilt frames: the cheapest client there is, so that one core
// of it can keep a fast server busy. Must not know: which server answers.
// Invariants: an echo that differs in one octet from what was sent fails the run, as does any end but grpc-status 0; nothing is
// sent beyond the windows that the server grants.

import { connect, type Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { FrameTrace, frames } from "../../packages/volant/src/testing/frame-factory.ts";
import { ChatMessageSchema } from "../../services/users/src/gen/user_pb.ts";
import { COUNTER_DIGITS, createChatMessage, formatCounter } from "../streamed-messages.ts";
import { createRequestHeaders } from "./raw-call.ts";

const FRAME_HEADER_BYTES = 9;
const PREFIX_BYTES = 5;
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const ACK = 1;
const END_STREAM = 1;
const INITIAL_WINDOW_SIZE = 4;
const DEFAULT_WINDOW = 65_535;
/** Streams and connection may receive so much. A stream never needs more in one job; the connection's is topped up. */
const WINDOW = 2 ** 31 - 1;
const TOP_UP = 2 ** 30;

/** A stream, its DATA frame with the message under way, and how much of its echo has come. */
interface Player {
  readonly id: number;
  readonly frame: Buffer;
  readonly counterAt: number;
  counter: number;
  echoed: number;
  window: number;
  isEnded: boolean;
}

export class PingPongConnection {
  private readonly socket: Socket;
  private readonly headers = new FrameTrace();
  private readonly players = new Map<number, Player>();
  private tail: Buffer = Buffer.alloc(0);
  private output: Buffer[] = [];
  private window = DEFAULT_WINDOW;
  private streamWindow = DEFAULT_WINDOW;
  private unacknowledged = 0;
  private endsAt = 0;
  private echoes = 0;
  private readonly ready = Promise.withResolvers<void>();
  private readonly done = Promise.withResolvers<void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    // Each is awaited later than it may fail.
    this.ready.promise.catch(() => undefined);
    this.done.promise.catch(() => undefined);
    socket.on("data", (bytes: Buffer) => this.receive(bytes));
    socket.on("error", (error) => this.fail(error));
    socket.on("close", () => this.fail(new Error("the server closed the connection")));
    const hello = [frames.settings([INITIAL_WINDOW_SIZE, WINDOW]), frames.windowUpdate(0, WINDOW - DEFAULT_WINDOW)];
    socket.write(Buffer.concat([frames.preface, ...hello.map((frame) => frame.bytes())]));
  }

  /** Resolves when the server's SETTINGS are there. */
  static async open(port: number): Promise<PingPongConnection> {
    const connection = new PingPongConnection(connect({ port, host: "127.0.0.1", noDelay: true }));
    await connection.ready.promise;
    return connection;
  }

  /** Plays until `endsAt`, then ends every stream; resolves to the number of echoes. Once in the life of a connection. */
  async play(streams: number, endsAt: number): Promise<number> {
    this.endsAt = endsAt;
    for (let index = 0; index < streams; index++) {
      const player = createPlayer(index, this.streamWindow);
      this.players.set(player.id, player);
      this.output.push(createRequestHeaders(player.id, "UserChat"));
      this.send(player);
    }
    this.flush();
    await this.done.promise;
    return this.echoes;
  }

  close(): void {
    this.socket.removeAllListeners("close");
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    const bytes = this.tail.length === 0 ? chunk : Buffer.concat([this.tail, chunk]);
    const mayGoOn = performance.now() < this.endsAt;
    let at = 0;
    try {
      while (bytes.length - at >= FRAME_HEADER_BYTES) {
        const end = at + FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3);
        if (end > bytes.length) break;
        this.receiveFrame(bytes, at, end, mayGoOn);
        at = end;
      }
    } catch (error) {
      this.fail(error as Error);
      return;
    }
    this.tail = bytes.subarray(at);
    this.flush();
  }

  private receiveFrame(bytes: Buffer, at: number, end: number, mayGoOn: boolean): void {
    const flags = bytes[at + 4]!;
    const id = bytes.readUInt32BE(at + 5);
    const start = at + FRAME_HEADER_BYTES;
    switch (bytes[at + 3]) {
      case DATA:
        this.receiveData(this.playerOf(id), bytes, start, end, mayGoOn);
        return;
      case HEADERS:
        this.receiveHeaders(this.playerOf(id), bytes.subarray(at, end), flags);
        return;
      case WINDOW_UPDATE:
        if (id === 0) this.window += bytes.readUInt32BE(start);
        else if (this.players.has(id)) this.playerOf(id).window += bytes.readUInt32BE(start);
        return;
      case SETTINGS:
        if ((flags & ACK) === 0) this.receiveSettings(bytes, start, end);
        return;
      case PING:
        if ((flags & ACK) === 0) this.output.push(acknowledge(bytes.subarray(at, end)));
        return;
      case RST_STREAM:
      case GOAWAY:
        throw new Error(`the server sent ${new FrameTrace().read(bytes.subarray(at, end))[0]?.text}`);
    }
  }

  private receiveSettings(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end; at += 6) {
      if (bytes.readUInt16BE(at) === INITIAL_WINDOW_SIZE) this.streamWindow = bytes.readUInt32BE(at + 2);
    }
    this.output.push(frames.settingsAck().bytes());
    this.ready.resolve();
  }

  private receiveHeaders(player: Player, frame: Buffer, flags: number): void {
    const text = this.headers.read(frame)[0]?.text ?? "";
    if ((flags & END_STREAM) === 0) return;
    if (!player.isEnded || !/ grpc-status=0( |$)/.test(text)) throw new Error(`a stream ended with ${text}`);
    this.players.delete(player.id);
    if (this.players.size === 0) this.done.resolve();
  }

  private receiveData(player: Player, bytes: Buffer, start: number, end: number, mayGoOn: boolean): void {
    const { frame } = player;
    const from = FRAME_HEADER_BYTES + player.echoed;
    const to = from + end - start;
    if (to > frame.length || frame.compare(bytes, start, end, from, to) !== 0) {
      throw new Error(`stream ${player.id} got an echo that is not what it sent`);
    }
    this.topUp(end - start);
    player.echoed += end - start;
    if (to < frame.length) return;
    this.echoes++;
    if (mayGoOn) {
      frame.write(formatCounter(++player.counter), player.counterAt, "latin1");
      this.send(player);
    } else {
      player.isEnded = true;
      this.output.push(frames.data(player.id, 0).endStream().bytes());
    }
  }

  private send(player: Player): void {
    const cost = player.frame.length - FRAME_HEADER_BYTES;
    player.echoed = 0;
    player.window -= cost;
    this.window -= cost;
    if (this.window < 0 || player.window < 0) throw new Error("the server does not return the windows it owes");
    this.output.push(player.frame);
  }

  private topUp(received: number): void {
    this.unacknowledged += received;
    if (this.unacknowledged < TOP_UP) return;
    this.output.push(frames.windowUpdate(0, this.unacknowledged).bytes());
    this.unacknowledged = 0;
  }

  private flush(): void {
    if (this.output.length === 0) return;
    this.socket.write(Buffer.concat(this.output));
    this.output = [];
  }

  private playerOf(id: number): Player {
    const player = this.players.get(id);
    if (player === undefined) throw new Error(`the server sent a frame for stream ${id}, which is not open`);
    return player;
  }

  private fail(error: Error): void {
    this.socket.destroy();
    this.ready.reject(error);
    this.done.reject(error);
  }
}

function acknowledge(ping: Buffer): Buffer {
  const answer = Buffer.from(ping);
  answer[4] = ACK;
  return answer;
}

function createPlayer(index: number, window: number): Player {
  const id = 1 + 2 * index;
  const chat = create(ChatMessageSchema, createChatMessage(index, 0, BigInt));
  const encoded = toBinary(ChatMessageSchema, chat);
  const message = Buffer.alloc(PREFIX_BYTES + encoded.length);
  message.writeUInt32BE(encoded.length, 1);
  message.set(encoded, PREFIX_BYTES);
  const frame = frames.data(id, message).bytes();
  const counterAt = frame.indexOf(formatCounter(0));
  if (counterAt < 0) throw new Error(`the message has no counter of ${COUNTER_DIGITS} digits`);
  return { id, frame, counterAt, counter: 0, echoed: 0, window, isEnded: false };
}
