/** Requests of the contract with everything at its default but what a test cares about. */

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ChatMessage,
  ChatMessageSchema,
  type CreateUserRequest,
  CreateUserRequestSchema,
  type ListUsersRequest,
  ListUsersRequestSchema,
  type UpdateUserRequest,
  UpdateUserRequestSchema,
} from "../../src/gen/user_pb.ts";

export function createRequest(init: MessageInitShape<typeof CreateUserRequestSchema> = {}): CreateUserRequest {
  return create(CreateUserRequestSchema, { email: "ada@example.com", name: "Ada", ...init });
}

export function updateRequest(init: MessageInitShape<typeof UpdateUserRequestSchema>): UpdateUserRequest {
  return create(UpdateUserRequestSchema, init);
}

export function listRequest(init: MessageInitShape<typeof ListUsersRequestSchema> = {}): ListUsersRequest {
  return create(ListUsersRequestSchema, init);
}

export function chatMessage(init: MessageInitShape<typeof ChatMessageSchema>): ChatMessage {
  return create(ChatMessageSchema, init);
}
