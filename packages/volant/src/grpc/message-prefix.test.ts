import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_MESSAGE_LENGTH, PREFIX_BYTES, writePrefix } from "./message-prefix.ts";

test("gRPC detail 25: the prefix is the flag and four bytes of length, big-endian", () => {
  const target = Buffer.alloc(12, 0xee);
  assert.equal(writePrefix(target, 2, false, 0x01020304), 2 + PREFIX_BYTES);
  assert.equal(target.toString("hex"), "eeee0001020304eeeeeeeeee");
  assert.equal(writePrefix(target, 7, true, MAX_MESSAGE_LENGTH), 12);
  assert.equal(target.toString("hex"), "eeee000102030401ffffffff");
});
