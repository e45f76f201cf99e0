import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { toChatMessage, toTimestamp, toUserMessage } from "./user-message.ts";

const user = {
  id: "u1",
  email: "ada@example.com",
  name: "Ada",
  roles: ["admin"],
  metadata: { team: "core" },
  createdAtMicros: 1_700_000_000_000_001n,
  updatedAtMicros: 1_700_000_001_000_000n,
  etag: "7",
};

describe("a user on the wire", () => {
  it("has every field of the record", () => {
    assert.deepEqual(toUserMessage(user), {
      id: "u1",
      email: "ada@example.com",
      name: "Ada",
      createdAt: { seconds: 1_700_000_000n, nanos: 1000 },
      updatedAt: { seconds: 1_700_000_001n, nanos: 0 },
      roles: ["admin"],
      metadata: { team: "core" },
      etag: "7",
    });
  });

  it("has no metadata where only a summary was read", () => {
    const { metadata: _, ...summary } = user;
    assert.deepEqual(toUserMessage(summary).metadata, {});
  });

  it("has timestamps that keep every microsecond and count nanos forward, also before 1970", () => {
    fc.assert(
      fc.property(fc.bigInt(-62_135_596_800_000_000n, 253_402_300_799_999_999n), (micros) => {
        const { seconds, nanos } = toTimestamp(micros);
        assert.ok(nanos >= 0 && nanos < 1e9);
        assert.equal(seconds * 1_000_000n + BigInt(nanos / 1000), micros);
      }),
    );
  });
});

describe("a chat message on the wire", () => {
  it("is what the log holds", () => {
    const message = { roomId: "r", sequence: 3n, senderId: "ada", content: "hi", sentAtMicros: 1_000_001n };
    assert.deepEqual(toChatMessage(message), {
      userId: "ada",
      content: "hi",
      timestamp: { seconds: 1n, nanos: 1000 },
      roomId: "r",
      sequence: 3n,
    });
  });
});
