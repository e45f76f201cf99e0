// Owns: that the streamed messages have the length they should, and that a lost one shows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { ChatMessageSchema, CreateUserRequestSchema, UserResponseSchema } from "../services/users/src/gen/user_pb.ts";
import { createChatMessage, echoChat, isUploadedUser, UPLOADED_COUNT, UPLOADED_USER } from "./streamed-messages.ts";

test("streamed messages have 145 octets, whatever their stream and counter", () => {
  assert.equal(toBinary(CreateUserRequestSchema, create(CreateUserRequestSchema, UPLOADED_USER)).length, 145);
  for (const [stream, counter] of [
    [0, 0],
    [99, 123_456_789],
  ] as const) {
    const message = create(ChatMessageSchema, createChatMessage(stream, counter, BigInt));
    assert.equal(toBinary(ChatMessageSchema, message).length, 145);
  }
});

test("an echo has the octets of what it answers", () => {
  const message = create(ChatMessageSchema, createChatMessage(7, 42, BigInt));
  const echo = create(ChatMessageSchema, echoChat(message));
  assert.deepEqual(toBinary(ChatMessageSchema, echo), toBinary(ChatMessageSchema, message));
});

test("an upload that lost a message has a shorter answer", () => {
  const lengthOf = (createdCount: number) =>
    toBinary(UserResponseSchema, create(UserResponseSchema, { createdCount })).length;
  assert.equal(lengthOf(UPLOADED_COUNT) - lengthOf(UPLOADED_COUNT - 1), 1);
});

test("a user that was changed on the way does not count", () => {
  assert.equal(isUploadedUser(UPLOADED_USER), true);
  for (const change of [{ email: "" }, { name: "x" }, { roles: ["admin"] }, { metadata: { team: "engines" } }])
    assert.equal(isUploadedUser({ ...UPLOADED_USER, ...change } as typeof UPLOADED_USER), false);
});
