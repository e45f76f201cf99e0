/**
 * The service as clients on @grpc/grpc-js with a dynamically loaded proto see it: all RPCs, errors, endings. When such a
 * client gives up a call whose request is a stream, node:http2 half-closes before it resets: it is a cancellation all the same.
 */

import assert from "node:assert/strict";
import type { EventEmitter } from "node:events";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  credentials,
  loadPackageDefinition,
  type Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { BadRequestSchema, StatusSchema } from "volant/errors";
import { eventually, useFakeClock } from "volant/testing";
import { emailsMatching, type RunningService, startService } from "./support/running-service.ts";

interface LooseUser {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly roles: string[];
  readonly metadata: Record<string, string>;
  readonly created_at: { readonly seconds: string };
}

interface LooseResponse {
  readonly user: LooseUser | null;
  readonly message: string;
  readonly created_count: number;
  readonly failures: { index: number; code: number; reason: string }[];
}

interface LooseList {
  readonly users: LooseUser[];
  readonly total_count: number;
  readonly next_page_token: string;
}

interface LooseChat {
  readonly user_id: string;
  readonly content: string;
  readonly room_id: string;
  readonly sequence: string;
}

type Callback<T> = (error: ServiceError | null, response: T) => void;
type Unary<T> = (request: object, options: { deadline?: Date | number }, callback: Callback<T>) => ClientUnaryCall;

interface LooseClient {
  GetUser: Unary<LooseResponse>;
  ListUsers: Unary<LooseList>;
  CreateUser: Unary<LooseResponse>;
  UpdateUser: Unary<LooseResponse>;
  DeleteUser: Unary<object>;
  StreamUsers(request: object): ClientReadableStream<LooseResponse>;
  CreateUserStream(callback: Callback<LooseResponse>): ClientWritableStream<object>;
  UserChat(options?: { deadline?: Date | number }): ClientDuplexStream<object, LooseChat>;
  close(): void;
}

type LooseClientClass = new (address: string, security: ChannelCredentials) => LooseClient;

let service: RunningService;
let client: LooseClient;

before(async () => {
  service = await startService();
  const proto = fileURLToPath(new URL("../../../proto", import.meta.url));
  const definition = loadSync("user.proto", { keepCase: true, longs: String, defaults: true, includeDirs: [proto] });
  const loaded = loadPackageDefinition(definition) as unknown as { user: { UserService: LooseClientClass } };
  client = new loaded.user.UserService(service.address, credentials.createInsecure());
});

after(async () => {
  client.close();
  await service.close();
});

type UnaryName = "GetUser" | "ListUsers" | "CreateUser" | "UpdateUser" | "DeleteUser";
type Answer<Name extends UnaryName> = LooseClient[Name] extends Unary<infer Response> ? Response : never;

function call<Name extends UnaryName>(name: Name, request: object, deadline?: Date | number): Promise<Answer<Name>> {
  return new Promise((resolve, reject) => {
    const options = deadline === undefined ? {} : { deadline };
    const method = client[name] as Unary<Answer<Name>>;
    method.call(client, request, options, (error, response) => (error ? reject(error) : resolve(response)));
  });
}

/** The error a stream ends with; rejects when it ends well. */
function failureOf(stream: EventEmitter): Promise<ServiceError> {
  return new Promise((resolve, reject) => {
    stream.on("error", (error: ServiceError) => resolve(error));
    stream.on("end", () => reject(new Error("the stream ended well")));
  });
}

function detailsOf(error: { metadata: Metadata }) {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  assert.ok(bytes instanceof Uint8Array, "no details in the trailers");
  return fromBinary(StatusSchema, bytes);
}

async function untilStored(filter: string, count: number): Promise<void> {
  while ((await emailsMatching(service.storage, filter)).length < count);
}

describe("with grpc-js", () => {
  it("GetUser", async () => {
    const { user, message } = await call("GetUser", { user_id: "alice", include_metadata: true });
    assert.equal(message, "User retrieved successfully");
    assert.equal(user?.id, "alice");
    assert.deepEqual(user.metadata, { team: "core" });
    assert.ok(Number(user.created_at.seconds) > 1_600_000_000);
  });

  it("ListUsers", async () => {
    const { users, total_count, next_page_token } = await call("ListUsers", { page_size: 2, filter: "@example.com" });
    assert.deepEqual([users.length, total_count >= 6, next_page_token !== ""], [2, true, true]);
  });

  it("CreateUser, UpdateUser, DeleteUser", async () => {
    const created = await call("CreateUser", { email: "js@grpc.example", name: "JS", roles: ["user"] });
    assert.equal(created.message, "User created successfully");
    const user_id = created.user?.id;
    const update_mask = { paths: ["name"] };
    const updated = await call("UpdateUser", { user_id, name: "Renamed", update_mask });
    assert.equal(updated.user?.name, "Renamed");
    assert.deepEqual(await call("DeleteUser", { user_id }), {});
    await assert.rejects(call("GetUser", { user_id }), {
      code: status.NOT_FOUND,
      details: `User ${user_id} not found`,
    });
  });

  it("StreamUsers", async () => {
    const messages: LooseResponse[] = [];
    for await (const message of client.StreamUsers({ filter: "@example.com" })) messages.push(message as LooseResponse);
    assert.ok(messages.length >= 6);
    for (const { message } of messages) assert.equal(message, "User streamed successfully");
  });

  it("CreateUserStream", async () => {
    const answer = await new Promise<LooseResponse>((resolve, reject) => {
      const upload = client.CreateUserStream((error, response) => (error ? reject(error) : resolve(response)));
      upload.write({ email: "one@jsbulk.example", name: "One" });
      upload.write({ email: "broken", name: "Broken" });
      upload.write({ email: "two@jsbulk.example", name: "Two" });
      upload.end();
    });
    assert.equal(answer.created_count, 2);
    assert.equal(answer.user?.email, "two@jsbulk.example");
    assert.deepEqual(answer.failures, [{ index: 1, code: status.INVALID_ARGUMENT, reason: "email must contain an @" }]);
  });

  it("UserChat", async () => {
    const chat = client.UserChat();
    chat.write({ user_id: "js", room_id: "js", content: "one" });
    chat.write({ room_id: "js", content: "two" });
    chat.end();
    const messages: LooseChat[] = [];
    for await (const message of chat) messages.push(message as LooseChat);
    assert.deepEqual(
      messages.map(({ user_id, content, sequence }) => [user_id, content, sequence]),
      [
        ["js", "one", "1"],
        ["js", "two", "2"],
      ],
    );
  });
});

describe("errors with grpc-js", () => {
  it("have code, text and the details in the trailers", async () => {
    await assert.rejects(call("GetUser", { user_id: "" }), (error: ServiceError) => {
      assert.equal(error.code, status.INVALID_ARGUMENT);
      assert.equal(error.details, "User ID is required");
      const { code, message, details } = detailsOf(error);
      assert.deepEqual([code, message], [3, "User ID is required"]);
      assert.ok(details[0]);
      assert.equal(anyUnpack(details[0], BadRequestSchema)?.fieldViolations[0]?.field, "user_id");
      return true;
    });
  });

  it("keep text that is not ASCII", async () => {
    const details = "User Zoë ✓ 100% not found";
    await assert.rejects(call("GetUser", { user_id: "Zoë ✓ 100%" }), { code: status.NOT_FOUND, details });
  });

  it("of streams arrive as their last event", async () => {
    const stream = client.StreamUsers({ page_size: -1 });
    const failure = failureOf(stream);
    stream.resume();
    assert.equal((await failure).code, status.INVALID_ARGUMENT);
    const chat = client.UserChat();
    const refused = failureOf(chat);
    chat.resume();
    chat.write({ content: "no room" });
    assert.equal((await refused).details, "Room ID is required");
  });
});

describe("endings with grpc-js", () => {
  it("a deadline that has passed is DEADLINE_EXCEEDED", async () => {
    await assert.rejects(call("GetUser", { user_id: "123" }, new Date(Date.now() - 1000)), {
      code: status.DEADLINE_EXCEEDED,
    });
  });

  it("a deadline ends a chat in which nothing is said, on both sides", async (t) => {
    const clock = useFakeClock(t);
    const ended = service.ended("UserChat");
    const chat = client.UserChat({ deadline: Date.now() + 60_000 });
    const failure = failureOf(chat);
    chat.resume();
    chat.write({ room_id: "deadline" });
    await eventually("the handler to run", () => service.server.handlerCount === 1);
    await clock.advance(60_000);
    assert.equal((await failure).code, status.DEADLINE_EXCEEDED);
    await ended;
  });

  it("cancelling a stream of users in the middle ends it on the server", async () => {
    const batch = Array.from({ length: 3000 }, (_, n) => ({
      email: `c${n}@cancel.example`,
      name: "C".repeat(200),
      roles: [],
      metadata: {},
    }));
    await service.storage.users.createMany(batch);
    const ended = service.ended("StreamUsers");
    const stream = client.StreamUsers({ filter: "@cancel.example" });
    const failure = failureOf(stream);
    stream.once("data", () => stream.cancel());
    assert.equal((await failure).code, status.CANCELLED);
    const { status: serverStatus, messagesSent } = await ended;
    assert.equal(serverStatus.code, status.CANCELLED);
    assert.ok(messagesSent < 3000);
  });

  it("cancelling an upload in the middle stores whole batches only", async () => {
    const ended = service.ended("CreateUserStream");
    const failed = new Promise<ServiceError | null>((resolve) => {
      const upload = client.CreateUserStream((error) => resolve(error));
      for (let n = 0; n < 149; n++) upload.write({ email: `u${n}@upload.example`, name: "U" });
      upload.write({ email: "last@upload.example", name: "Last" }, () => upload.cancel());
    });
    assert.equal((await failed)?.code, status.CANCELLED);
    assert.equal((await ended).status.code, status.CANCELLED);
    const stored = await emailsMatching(service.storage, "@upload.example");
    assert.ok([0, 100].includes(stored.length), `${stored.length} stored`);
  });

  it("cancelling an upload keeps the batches that were committed, and never commits the one that was being gathered", async () => {
    for (let at = 0; at < 20; at++) {
      const filter = `@batches${at}.example`;
      const ended = service.ended("CreateUserStream");
      const failed = new Promise<ServiceError | null>((resolve) => {
        const upload = client.CreateUserStream((error) => resolve(error));
        for (let n = 0; n < 150; n++) upload.write({ email: `u${n}${filter}`, name: "U" });
        void untilStored(filter, 100).then(() => upload.cancel());
      });
      assert.equal((await failed)?.code, status.CANCELLED);
      assert.equal((await ended).status.code, status.CANCELLED);
      assert.equal((await emailsMatching(service.storage, filter)).length, 100);
    }
  });

  it("cancelling a chat in the middle ends it on the server", async () => {
    const ended = service.ended("UserChat");
    const chat = client.UserChat();
    const failure = failureOf(chat);
    chat.once("data", () => chat.cancel());
    chat.write({ room_id: "cancel", content: "hi" });
    assert.equal((await failure).code, status.CANCELLED);
    assert.equal((await ended).status.code, status.CANCELLED);
  });
});
