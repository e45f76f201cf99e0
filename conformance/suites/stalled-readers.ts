/**
 * What readers that do not read cost: a hundred streams with a window of zero on one connection, for each kind of method and
 * for those of the flagship service. Owns the bounds, in KB a stream, objects included; the memory is that of a child process
 * that runs the server, after a forced collection.
 */
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { frames } from "../../packages/volant/src/testing/frame-factory.ts";
import { NoteSchema } from "../../packages/volant/test/gen/lab_pb.ts";
import { GRPC_FIELDS, prefixed } from "../../packages/volant/test/server/support/raw-peer.ts";
import { ChatMessageSchema, ListUsersRequestSchema } from "../../services/users/src/gen/user_pb.ts";
import { type Held, ROOM, type StalledServerOptions } from "../programs/stalled-server.ts";
import { type Check, type Checks, runChecks, type Suite, type SuiteContext } from "./suite.ts";

const STREAMS = 100;
const KB = 1024;
/** Growth between two looks below which nothing moves any more. */
const STILL_BYTES = 64 * KB;
const PROGRAM = join(import.meta.dirname, "..", "programs", "stalled-server.ts");
const INITIAL_WINDOW_SIZE = 4;

interface Row {
  readonly path: string;
  readonly request: Buffer;
  /** The request goes on: a chat. */
  readonly isOpen?: boolean;
  /** Its handlers are over once they have answered. */
  readonly isAnswered?: boolean;
  readonly server: StalledServerOptions;
  /** KB of heap and of memory outside it that a stream may cost. */
  readonly allowedKb: number;
}

const messageOf = <Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Buffer =>
  prefixed(toBinary(schema, create(schema, init)));

const NOTE = messageOf(NoteSchema, {});
const SMALL = { streamedBytes: 100, unaryBytes: 100, users: 0 };
const LARGE = { streamedBytes: 16 * KB, unaryBytes: 16 * KB, users: 0 };
const USERS = { ...SMALL, users: 200 };

const ROWS: Readonly<Record<string, Row>> = {
  "server streaming, messages of 100 bytes": {
    path: "volant.test.Lab/Download",
    request: NOTE,
    server: SMALL,
    allowedKb: 16,
  },
  "server streaming, messages of 16 KB": {
    path: "volant.test.Lab/Download",
    request: NOTE,
    server: LARGE,
    allowedKb: 40,
  },
  "bidirectional, messages of 100 bytes": {
    path: "volant.test.Lab/Chat",
    request: NOTE,
    isOpen: true,
    server: SMALL,
    allowedKb: 16,
  },
  "bidirectional, messages of 16 KB": {
    path: "volant.test.Lab/Chat",
    request: NOTE,
    isOpen: true,
    server: LARGE,
    allowedKb: 40,
  },
  "unary, an answer of 16 KB": {
    path: "volant.test.Lab/Unary",
    request: NOTE,
    isAnswered: true,
    server: LARGE,
    allowedKb: 32,
  },
  "client streaming, an answer of 16 KB": {
    path: "volant.test.Lab/Upload",
    request: NOTE,
    isAnswered: true,
    server: LARGE,
    allowedKb: 40,
  },
  "StreamUsers over 200 users with 16 KB of metadata": {
    path: "user.UserService/StreamUsers",
    request: messageOf(ListUsersRequestSchema, {}),
    server: USERS,
    allowedKb: 128,
  },
  "ListUsers over 200 users with 16 KB of metadata": {
    path: "user.UserService/ListUsers",
    request: messageOf(ListUsersRequestSchema, {}),
    isAnswered: true,
    server: USERS,
    allowedKb: 40,
  },
  "UserChat that resumes a room of 200 messages of 2 KB": {
    path: "user.UserService/UserChat",
    request: messageOf(ChatMessageSchema, { roomId: ROOM, userId: "reader", resumeAfter: 1n }),
    isOpen: true,
    server: USERS,
    allowedKb: 128,
  },
};

/** A child with the server, and one connection to it whose streams' windows are zero. */
class Stall implements AsyncDisposable {
  private readonly child: ChildProcess;
  private readonly socket: Socket;

  private constructor(child: ChildProcess, socket: Socket) {
    this.child = child;
    this.socket = socket;
  }

  static async open(options: StalledServerOptions): Promise<Stall> {
    const child = fork(PROGRAM, [JSON.stringify(options)], { execArgv: ["--expose-gc"] });
    const [{ port }] = (await once(child, "message")) as [{ port: number }];
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }).resume();
    // A server that closes the connection is seen by what it holds.
    socket.on("error", () => socket.destroy());
    await once(socket, "connect");
    const stall = new Stall(child, socket);
    stall.send(frames.preface, frames.settings([INITIAL_WINDOW_SIZE, 0]), frames.settingsAck());
    return stall;
  }

  begin({ path, request, isOpen = false }: Row): void {
    for (let id = 1; id < 2 * STREAMS; id += 2) {
      const data = frames.data(id, request);
      this.send(frames.headers(id).request("POST", `/${path}`, GRPC_FIELDS), isOpen ? data : data.endStream());
    }
  }

  async held(): Promise<Held> {
    const told = once(this.child, "message") as Promise<[Held]>;
    this.child.send("held");
    return (await told)[0];
  }

  /** Once the streams are there or were refused, those that take one answer have it, and nothing grows any more. */
  async settled(streams: number, isAnswered = false): Promise<Held> {
    for (let before = await this.held(); ; ) {
      await nextTurn();
      const now = await this.held();
      const refused = now.faults["answer-refused"] ?? 0;
      const isThere = now.streams + refused >= streams && !(isAnswered && now.handlers > 0);
      if (isThere && Math.abs(bytesOf(now) - bytesOf(before)) < STILL_BYTES) return now;
      before = now;
    }
  }

  private send(...parts: readonly (Buffer | { bytes(): Buffer })[]): void {
    this.socket.write(Buffer.concat(parts.map((part) => (Buffer.isBuffer(part) ? part : part.bytes()))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    this.child.disconnect();
    await once(this.child, "exit");
  }
}

const bytesOf = ({ heapBytes, externalBytes }: Held): number => heapBytes + externalBytes;

/** KB that each of the streams costs. */
async function costOf(row: Row): Promise<number> {
  await using stall = await Stall.open(row.server);
  const before = await stall.settled(0);
  stall.begin(row);
  return (bytesOf(await stall.settled(STREAMS, row.isAnswered)) - bytesOf(before)) / KB / STREAMS;
}

function checkOf(name: string, row: Row, log: SuiteContext["log"]): Check {
  return async () => {
    const kb = await costOf(row);
    log(`${name}: ${kb.toFixed(1)} KB a stream, ${row.allowedKb} allowed`);
    assert.ok(kb <= row.allowedKb, `${kb.toFixed(1)} KB a stream, ${row.allowedKb} are allowed`);
  };
}

/** What a connection costs whose hundred streams were answered with a MiB each, in KB. */
async function costOfAnswers(maxUnsentBytes: number | null): Promise<number> {
  const options = maxUnsentBytes === null ? {} : { maxUnsentBytes };
  await using stall = await Stall.open({ ...SMALL, unaryBytes: 1024 * KB, server: options });
  const before = await stall.settled(0);
  stall.begin({ path: "volant.test.Lab/Unary", request: NOTE, server: SMALL, allowedKb: 0 });
  return (bytesOf(await stall.settled(STREAMS, true)) - bytesOf(before)) / KB;
}

const UNSENT_BYTES = 16_777_216;

/** The same answers with the bound and without: it must be the bound that does it. */
async function checkAnswers(log: SuiteContext["log"]): Promise<void> {
  const bounded = await costOfAnswers(UNSENT_BYTES);
  const free = await costOfAnswers(null);
  log(
    `100 unary answers of 1 MiB: ${bounded.toFixed(0)} KB with maxUnsentBytes ${UNSENT_BYTES}, ${free.toFixed(0)} KB by default`,
  );
  assert.ok(bounded <= (UNSENT_BYTES / 2 + 2 * 1024 * KB) / KB, `${bounded.toFixed(0)} KB with a share of 8 MiB`);
  assert.ok(free >= 80 * KB, `${free.toFixed(0)} KB prove nothing: unbounded they are 100 MiB`);
}

async function run({ log }: SuiteContext): ReturnType<Suite["run"]> {
  const checks: Checks = {
    ...Object.fromEntries(Object.entries(ROWS).map(([name, row]) => [name, checkOf(name, row, log)])),
    "unary answers of 1 MiB are held as far as maxUnsentBytes allows": () => checkAnswers(log),
  };
  return [{ role: "server", cases: await runChecks(checks) }];
}

export const stalledReaders: Suite = { name: "stalled-readers", isFast: true, tools: [], run };
