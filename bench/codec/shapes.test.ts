// Owns: that every shape is the same message for our codec and for protobuf-es, and that its variants differ.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { decode, encode } from "volant/protobuf";
import { encodedMessages, SHAPES } from "./shapes.ts";

for (const shape of SHAPES) {
  test(`${shape.name}: our bytes and messages are those of protobuf-es`, () => {
    const encoded = encodedMessages(shape);
    for (const [index, message] of shape.messages.entries()) {
      const bytes = encoded[index]!;
      assert.equal(Buffer.compare(encode(shape.schema, message as never), bytes), 0);
      assert.deepStrictEqual(decode(shape.schema, bytes), fromBinary(shape.schema, bytes));
    }
    assert.equal(new Set(encoded.map((bytes) => Buffer.from(bytes).toString("latin1"))).size, encoded.length);
  });
}
