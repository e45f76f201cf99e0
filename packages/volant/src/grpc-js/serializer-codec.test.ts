import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SerializerCodec } from "./serializer-codec.ts";

/** Hands octets through; counts how often it was asked to write. */
function passThrough() {
  const counter = { writes: 0 };
  const serialize = (bytes: Uint8Array): Uint8Array => {
    counter.writes++;
    return bytes;
  };
  return { counter, codec: new SerializerCodec("serialize of /s/a", serialize, (bytes) => bytes) };
}

test("what a deserializer gets is its own: it stays when the chunk is written over", () => {
  const { codec } = passThrough();
  const chunk = Buffer.from("--volant--");
  const message = codec.decode(chunk, 2, 8) as Buffer;
  chunk.fill(0);
  assert.equal(message.toString(), "volant");
});

test("octets come back as they were, wherever they are written and however little room there is", () => {
  const octets = fc.uint8Array({ maxLength: 600 });
  const room = fc.record({ offset: fc.nat(300), limit: fc.nat(700) });
  fc.assert(
    fc.property(octets, room, (message, { offset, limit }) => {
      const { codec } = passThrough();
      const target = Buffer.alloc(800, 7);
      const length = codec.encodeInto(message, target, offset, limit);
      const fits = message.length <= Math.min(limit, target.length - offset);
      assert.equal(length, fits ? message.length : -1);
      const written = fits ? target.subarray(offset, offset + length) : Buffer.from(codec.encode(message));
      assert.deepEqual([...written], [...message]);
      const outside = [...target.subarray(0, offset), ...target.subarray(offset + (fits ? length : 0))];
      assert.ok(outside.every((octet) => octet === 7));
    }),
  );
});

test("a message that does not fit is serialized once, and one that changed is serialized again", () => {
  const { codec, counter } = passThrough();
  const message = new Uint8Array(20);
  assert.equal(codec.encodeInto(message, Buffer.alloc(10), 0, 10), -1);
  assert.equal(codec.encode(message).length, 20);
  assert.equal(counter.writes, 1);
  codec.encode(message);
  assert.equal(counter.writes, 2);
  codec.encodeInto(message, Buffer.alloc(10), 0, 10);
  codec.encode(new Uint8Array(3));
  assert.equal(counter.writes, 4);
});

test("a reservation asks for what the last message took, within limits", () => {
  const { codec } = passThrough();
  for (const [length, estimate] of [
    [0, 256],
    [1_000, 1_000],
    [100_000, 8_192],
    [10, 256],
  ] as const) {
    codec.encode(new Uint8Array(length));
    assert.equal(codec.estimate, estimate);
  }
});

test("a serializer that returns no octets is named", () => {
  const broken = (result: unknown) =>
    new SerializerCodec(
      "serialize of /s/a",
      () => result,
      (bytes) => bytes,
    );
  assert.throws(() => broken("text").encode({}), /serialize of \/s\/a returned a string; it must return a Uint8Array/);
  assert.throws(() => broken(null).encodeInto({}, Buffer.alloc(1), 0, 1), /returned null/);
});
