/**
 * Stored records as messages of the contract. Knows both shapes and nothing else. Gives plain objects, which the
 * library encodes as they are: making full messages first would cost more than encoding them.
 */

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ChatMessageSchema, UserSchema } from "../gen/user_pb.ts";
import type { StoredMessage, UserRecord, UserSummary } from "../storage/user-store.ts";

export type UserMessage = MessageInitShape<typeof UserSchema>;
export type ChatMessageInit = MessageInitShape<typeof ChatMessageSchema>;

const MICROS_PER_SECOND = 1_000_000n;

/** Metadata is in the message of a record; a summary has none. */
export function toUserMessage(user: UserSummary | UserRecord): UserMessage {
  return {
    id: user.id,
    email: user.email,
    name: user.name,
    createdAt: toTimestamp(user.createdAtMicros),
    updatedAt: toTimestamp(user.updatedAtMicros),
    roles: [...user.roles],
    metadata: "metadata" in user ? { ...user.metadata } : {},
    etag: user.etag,
  };
}

export function toChatMessage(message: StoredMessage): ChatMessageInit {
  return {
    userId: message.senderId,
    content: message.content,
    timestamp: toTimestamp(message.sentAtMicros),
    roomId: message.roomId,
    sequence: message.sequence,
  };
}

/** google.protobuf.Timestamp: nanos count forward also before 1970, so that the second is rounded down. */
export function toTimestamp(micros: bigint): { seconds: bigint; nanos: number } {
  const rest = micros % MICROS_PER_SECOND;
  const micro = rest < 0n ? rest + MICROS_PER_SECOND : rest;
  return { seconds: (micros - micro) / MICROS_PER_SECOND, nanos: Number(micro) * 1000 };
}
