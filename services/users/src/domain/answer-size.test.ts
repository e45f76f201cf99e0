import assert from "node:assert/strict";
import { it } from "node:test";
import { codecOf, encode } from "volant/protobuf";
import { ListUsersResponseSchema } from "../gen/user_pb.ts";

/** What a channel allows of any message, however small its messages may be. */
const LEAST_ALLOWED = 65_536;

it("a page of 1,000 users, each with metadata, has far fewer values than any channel allows", () => {
  const users = Array.from({ length: 1_000 }, (_, index) => ({
    id: `user-${index}`,
    email: `user${index}@example.com`,
    name: `User ${index}`,
    createdAt: { seconds: 1_700_000_000n },
    updatedAt: { seconds: 1_700_000_000n },
    roles: ["admin", "editor", "reader"],
    metadata: Object.fromEntries(Array.from({ length: 20 }, (_unused, key) => [`key-${key}`, `value ${index}`])),
    etag: `etag-${index}`,
  }));
  const bytes = Buffer.from(encode(ListUsersResponseSchema, { users, totalCount: 1_000 }));
  const codec = codecOf(ListUsersResponseSchema, { maxDecodedValues: LEAST_ALLOWED });
  assert.equal(codec.decode(bytes, 0, bytes.length).users.length, 1_000);
});
