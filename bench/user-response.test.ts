// Owns: the size of the answer that the unary scenarios compare.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { UserResponseSchema } from "../services/users/src/gen/user_pb.ts";
import { createUserResponse, REQUESTED_ID } from "./user-response.ts";

test("the answer echoes the id, encodes to 145 bytes and shares nothing between calls", () => {
  const [first, second] = [createUserResponse(REQUESTED_ID, BigInt), createUserResponse(REQUESTED_ID, BigInt)];
  assert.equal(toBinary(UserResponseSchema, create(UserResponseSchema, first)).length, 145);
  assert.equal(createUserResponse("other", Number).user.id, "other");
  assert.deepEqual(first, second);
  for (const key of ["createdAt", "roles", "metadata"] as const) assert.notEqual(first.user[key], second.user[key]);
});
