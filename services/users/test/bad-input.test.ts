/**
 * What a careless or hostile peer can send, over node:http2 and raw sockets: each gets its answer, nothing is
 * half-written, and the next caller is served as if nothing had happened.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { connect as connectSocket } from "node:net";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { StatusCode } from "volant";
import {
  ChatMessageSchema,
  CreateUserRequestSchema,
  GetUserRequestSchema,
  UpdateUserRequestSchema,
} from "../src/gen/user_pb.ts";
import { emailsMatching, type RunningService, startService } from "./support/running-service.ts";

let service: RunningService;
let session: ClientHttp2Session;

before(async () => {
  service = await startService();
});

beforeEach(async () => {
  session = connect(`http://${service.address}`);
  await once(session, "connect");
});

afterEach(async () => {
  if (!session.destroyed) {
    session.destroy();
    await once(session, "close");
  }
  await assertServing();
});

after(async () => {
  await service.close();
});

/** The five octets before a message, and the message. */
function framed(message: Uint8Array, { flags = 0, length = message.length } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

const getUser = (userId: string): Buffer =>
  framed(toBinary(GetUserRequestSchema, create(GetUserRequestSchema, { userId })));

function createUser(email: string): Buffer {
  const request = create(CreateUserRequestSchema, { email, name: "Bad input" });
  return framed(toBinary(CreateUserRequestSchema, request));
}

function open(method: string, headers: Record<string, string> = {}, over = session): ClientHttp2Stream {
  return over.request({
    ":method": "POST",
    ":path": method.startsWith("/") ? method : `/user.UserService/${method}`,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
}

function updateUser(paths: number): Buffer {
  const updateMask = { paths: new Array<string>(paths).fill("name") };
  return framed(toBinary(UpdateUserRequestSchema, create(UpdateUserRequestSchema, { userId: "123", updateMask })));
}

interface Answer {
  readonly httpStatus: number | undefined;
  /** Of the trailers, or of headers that are the whole answer. */
  readonly code: number | undefined;
  readonly message: string;
  readonly body: Buffer;
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  let head: Record<string, unknown> = {};
  let trailers: Record<string, unknown> = {};
  const chunks: Buffer[] = [];
  stream.on("response", (fields) => (head = fields));
  stream.on("trailers", (fields) => (trailers = fields));
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("error", () => undefined);
  await once(stream, "close");
  const status = trailers["grpc-status"] ?? head["grpc-status"];
  return {
    httpStatus: head[":status"] as number | undefined,
    code: status === undefined ? undefined : Number(status),
    message: decodeURIComponent(String(trailers["grpc-message"] ?? head["grpc-message"] ?? "")),
    body: Buffer.concat(chunks),
  };
}

async function send(method: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
  const stream = open(method, headers);
  stream.end(body);
  return answerOf(stream);
}

/** A new connection gets its answer. */
async function assertServing(): Promise<void> {
  const fresh = connect(`http://${service.address}`);
  const stream = open("GetUser", {}, fresh);
  stream.end(getUser("123"));
  const { code } = await answerOf(stream);
  fresh.close();
  assert.equal(code, StatusCode.OK);
}

describe("a request that is not a message", () => {
  it("of octets that are no protobuf is refused, without a word about how it was parsed", async () => {
    for (const bytes of [[0xff, 0xff], [0x0a, 0x05, 0x61], [0x0b], [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]]) {
      const { code, message } = await send("GetUser", framed(Uint8Array.from(bytes)));
      assert.ok(code === StatusCode.INTERNAL || code === StatusCode.INVALID_ARGUMENT, `${bytes}: ${code} ${message}`);
      assert.doesNotMatch(message, /\.ts|at |Error/);
    }
  });

  it("of text that is no UTF-8 is refused or read as another text, never stored as it is", async () => {
    const { code } = await send("GetUser", framed(Uint8Array.from([0x0a, 0x02, 0xc3, 0x28])));
    const allowed: (number | undefined)[] = [StatusCode.INTERNAL, StatusCode.INVALID_ARGUMENT, StatusCode.NOT_FOUND];
    assert.ok(allowed.includes(code), `${code}`);
  });

  it("of thousands of values, in whatever field, is refused while it is decoded, and of many is told what is too much", async () => {
    const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, ""]));
    const user = (init: { metadata?: Record<string, string>; roles?: string[] }): Buffer =>
      framed(
        toBinary(CreateUserRequestSchema, create(CreateUserRequestSchema, { email: "many@example.com", ...init })),
      );
    const refused: [string, Buffer][] = [
      ["CreateUser", user({ metadata: keys(5000) })],
      ["CreateUser", user({ roles: new Array<string>(5000).fill("r") })],
      ["CreateUserStream", user({ metadata: keys(5000) })],
      ["UpdateUser", updateUser(5000)],
    ];
    for (const [method, body] of refused) {
      const { code, message } = await send(method, body);
      assert.equal(code, StatusCode.RESOURCE_EXHAUSTED, method);
      assert.match(message, /maxDecodedValues/);
    }
    for (const body of [user({ metadata: keys(1000) }), user({ roles: new Array<string>(1000).fill("r") })]) {
      const { code, message } = await send("CreateUser", body);
      assert.equal(code, StatusCode.INVALID_ARGUMENT);
      assert.match(message, /at most (64|32) entries, 1000 were given/);
    }
    assert.deepEqual(await emailsMatching(service.storage, "many@example.com"), []);
  });

  it("that is cut short is INTERNAL", async () => {
    for (const body of [getUser("123").subarray(0, 7), getUser("123").subarray(0, 3)]) {
      assert.equal((await send("GetUser", body)).code, StatusCode.INTERNAL);
    }
  });

  it("that is missing, or one too many, is refused", async () => {
    for (const body of [Buffer.alloc(0), Buffer.concat([getUser("123"), getUser("123")])]) {
      const { code, body: answered } = await send("GetUser", body);
      assert.ok(code === StatusCode.INTERNAL || code === StatusCode.UNIMPLEMENTED, `${code}`);
      assert.equal(answered.length, 0);
    }
  });

  it("that claims a compression nobody announced, or unknown flags, is INTERNAL", async () => {
    for (const flags of [1, 2, 0xff]) {
      const body = framed(getUser("123").subarray(5), { flags });
      assert.equal((await send("GetUser", body)).code, StatusCode.INTERNAL, `flags ${flags}`);
    }
  });

  it("that is too large is RESOURCE_EXHAUSTED before it is there", async () => {
    const stream = open("CreateUser");
    const answer = answerOf(stream);
    stream.write(framed(Buffer.alloc(10), { length: 0xffff_ffff }));
    assert.equal((await answer).code, StatusCode.RESOURCE_EXHAUSTED);
  });

  it("may be as large as the limit, and no larger", async () => {
    const limit = 4 * 1024 * 1024;
    // An unknown field of bytes: tag, a length of four octets, content.
    const filled = (size: number): Buffer => {
      const message = Buffer.alloc(size);
      const length = size - 5;
      message.set([
        0x7a,
        (length & 127) | 128,
        ((length >> 7) & 127) | 128,
        ((length >> 14) & 127) | 128,
        length >> 21,
      ]);
      return framed(message);
    };
    const largest = await send("GetUser", filled(limit));
    assert.deepEqual([largest.code, largest.message], [StatusCode.INVALID_ARGUMENT, "User ID is required"]);
    assert.equal((await send("GetUser", filled(limit + 1))).code, StatusCode.RESOURCE_EXHAUSTED);
  });
});

describe("a request that is not gRPC", () => {
  it("of another content-type is HTTP 415", async () => {
    for (const contentType of ["application/json", "application/grpcfoo", "text/plain"]) {
      const { httpStatus } = await send("GetUser", getUser("123"), { "content-type": contentType });
      assert.equal(httpStatus, 415, contentType);
    }
  });

  it("to an unknown path is UNIMPLEMENTED", async () => {
    for (const path of [
      "/user.UserService/Nope",
      "/nope.Service/GetUser",
      "/",
      "/user.UserService/getUser",
      "/a/b/c",
    ]) {
      assert.equal((await send(path, getUser("123"))).code, StatusCode.UNIMPLEMENTED, path);
    }
  });

  it("by another method than POST gets no answer of a handler", async () => {
    const { httpStatus, code, body } = await send("GetUser", Buffer.alloc(0), { ":method": "PUT" });
    assert.ok(httpStatus === 405 || code === StatusCode.INTERNAL, `${httpStatus} ${code}`);
    assert.equal(body.length, 0);
  });

  it("with a timeout that is none is refused", async () => {
    for (const timeout of ["soon", "1", "123456789S", "-1S"]) {
      const { httpStatus, code } = await send("GetUser", getUser("123"), { "grpc-timeout": timeout });
      assert.ok(httpStatus === 400 || code === StatusCode.INTERNAL, `${timeout}: ${httpStatus} ${code}`);
    }
  });

  it("of octets that are no HTTP/2 ends its connection only", async () => {
    for (const bytes of [
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "\0".repeat(100),
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff".repeat(2),
    ]) {
      const socket = connectSocket(service.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(bytes, "latin1");
      socket.resume();
      await once(socket, "close");
    }
  });
});

describe("values that no user can have", () => {
  it("are answered by field, not by the database", async () => {
    const request = create(CreateUserRequestSchema, {
      email: "nul@bad.example",
      name: "N\0UL",
      roles: ["\0"],
      metadata: { "k\0": "v\0" },
      requestId: "r\0",
    });
    const { code, message } = await send("CreateUser", framed(toBinary(CreateUserRequestSchema, request)));
    assert.equal(code, StatusCode.INVALID_ARGUMENT);
    assert.match(message, /^name must .*; roles\[0\] must .*; metadata must .*; request_id must /);
    assert.deepEqual(await emailsMatching(service.storage, "@bad.example"), []);
  });

  it("are answered in few words, however long they are", async () => {
    const { code, message } = await send("GetUser", getUser("x".repeat(1_000_000)));
    assert.equal(code, StatusCode.NOT_FOUND);
    assert.ok(message.length < 200);
  });
});

describe("a client that vanishes", () => {
  const items = (from: number, to: number, host: string): Buffer =>
    Buffer.concat(Array.from({ length: to - from }, (_, n) => createUser(`u${from + n}@${host}`)));

  async function untilStored(host: string, count: number): Promise<void> {
    while ((await emailsMatching(service.storage, `@${host}`)).length < count);
  }

  it("in the middle of an upload leaves whole batches, a prefix of what it sent", async () => {
    const ended = service.ended("CreateUserStream");
    const upload = open("CreateUserStream");
    upload.on("error", () => undefined);
    upload.write(items(0, 250, "vanish.example"));
    await untilStored("vanish.example", 200);
    session.destroy();
    const { status, cancelledBy } = await ended;
    assert.deepEqual([status.code, cancelledBy], [StatusCode.CANCELLED, "connection"]);
    const stored = await emailsMatching(service.storage, "@vanish.example");
    assert.equal(stored.length, 200);
    for (let n = 0; n < 200; n++) assert.ok(stored.includes(`u${n}@vanish.example`));
  });

  it("by a reset in the middle of a message stores nothing of that message", async () => {
    const ended = service.ended("CreateUserStream");
    const upload = open("CreateUserStream");
    upload.on("error", () => undefined);
    upload.write(items(0, 100, "reset.example"));
    upload.write(createUser("half@reset.example").subarray(0, 12));
    await untilStored("reset.example", 100);
    upload.close(constants.NGHTTP2_CANCEL);
    // node:http2 half-closes before it resets, so the server may see the cut message first.
    const codes: StatusCode[] = [StatusCode.CANCELLED, StatusCode.INTERNAL];
    assert.ok(codes.includes((await ended).status.code));
    assert.equal((await emailsMatching(service.storage, "@reset.example")).length, 100);
  });

  it("by half-closing in the middle of a message gets INTERNAL, and only whole batches are stored", async () => {
    const { code } = await send(
      "CreateUserStream",
      Buffer.concat([items(0, 120, "half.example"), createUser("cut@half.example").subarray(0, 12)]),
    );
    assert.equal(code, StatusCode.INTERNAL);
    const stored = await emailsMatching(service.storage, "@half.example");
    assert.ok([0, 100].includes(stored.length), `${stored.length} stored`);
  });

  it("while it chats is out of its rooms", async () => {
    const ended = service.ended("UserChat");
    const chat = open("UserChat");
    chat.on("error", () => undefined);
    const hello = create(ChatMessageSchema, { roomId: "vanish", content: "hi" });
    chat.write(framed(toBinary(ChatMessageSchema, hello)));
    await once(chat, "data");
    session.destroy();
    assert.equal((await ended).cancelledBy, "connection");
  });
});

describe("a client that does not read", () => {
  it("is cut with RESOURCE_EXHAUSTED while it sleeps, and costs the others nothing", async () => {
    const patient = await startService({ chat: { maxQueuedMessages: 10 } });
    const [slow, fast] = [connect(`http://${patient.address}`), connect(`http://${patient.address}`)];
    const say = (content: string): Buffer =>
      framed(toBinary(ChatMessageSchema, create(ChatMessageSchema, { roomId: "r", content })));
    const deaf = open("UserChat", {}, slow);
    deaf.write(say("here"));
    await once(deaf, "data");
    deaf.pause();
    const cut = once(deaf, "error");
    const talker = open("UserChat", {}, fast);
    const heard = answerOf(talker);
    for (let n = 0; n < 100; n++) talker.write(say("x".repeat(16_000)));
    talker.end();
    const { code, body } = await heard;
    assert.equal(code, StatusCode.OK);
    assert.ok(body.length > 1_600_000, "who reads gets everything");
    assert.ok(await cut, "the stream was reset while nobody read it");
    // gRPC over HTTP/2: ENHANCE_YOUR_CALM is RESOURCE_EXHAUSTED.
    assert.equal(deaf.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    slow.destroy();
    fast.destroy();
    await patient.close();
  });
});
