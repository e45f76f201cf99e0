// Owns: GetUser as a load generator calls it: the request, and how long each answer is.

import { create, toBinary } from "@bufbuild/protobuf";
import { UserResponseSchema } from "../../services/users/src/gen/user_pb.ts";
import { createUserResponse, REQUESTED_ID } from "../user-response.ts";
import type { LoadTarget } from "./h2load.ts";
import { createGetUserMessage } from "./raw-call.ts";
import type { Transport } from "./transport.ts";

const PREFIX_BYTES = 5;

export function createGetUserTarget(port: number, transport: Transport = "cleartext"): LoadTarget {
  const answer = create(UserResponseSchema, createUserResponse(REQUESTED_ID, BigInt));
  return {
    port,
    transport,
    path: "/user.UserService/GetUser",
    body: createGetUserMessage(),
    answerBytes: PREFIX_BYTES + toBinary(UserResponseSchema, answer).length,
  };
}
