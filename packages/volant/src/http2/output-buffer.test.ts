import assert from "node:assert/strict";
import { test } from "node:test";
import { acquireBuffer, LARGE_BUFFER_BYTES, releaseBuffer, SMALL_BUFFER_BYTES } from "./buffer-pool.ts";
import { OutputBuffer } from "./output-buffer.ts";

function append(output: OutputBuffer, text: string): void {
  output.ensure(text.length);
  output.length += output.bytes.write(text, output.length, "latin1");
}

test("an idle output owns no buffer, before and after", () => {
  const output = new OutputBuffer();
  assert.equal(output.bytes.length, 0);
  assert.equal(output.take(), undefined);
  append(output, "a");
  assert.equal(output.take()?.bytes.toString(), "a");
  assert.equal(output.bytes.length, 0);
});

test("it grows from the small to the large size and beyond, and keeps what it had", () => {
  const output = new OutputBuffer();
  const sizes: number[] = [];
  for (let count = 0; count < 30; count++) {
    append(output, String(count % 10).repeat(10_000));
    sizes.push(output.bytes.length);
  }
  assert.equal(sizes[0], SMALL_BUFFER_BYTES);
  assert.equal(sizes[1], LARGE_BUFFER_BYTES);
  assert.ok(new Set(sizes).size <= 4, "growth is geometric");
  const { bytes } = output.take()!;
  for (let count = 0; count < 30; count++) assert.equal(bytes[count * 10_000], 48 + (count % 10));
});

test("whoever needs room during a reservation moves away and leaves the buffer to its writer", () => {
  const output = new OutputBuffer();
  append(output, "before ");
  const reserved = output.bytes;
  output.reserved = true;
  append(output, "other");
  assert.notEqual(output.bytes, reserved);
  assert.equal(output.reserved, false);
  reserved.fill(0xee);
  assert.equal(output.take()?.bytes.toString(), "before other");
});

test("taking or discarding during a reservation does not give the reserved buffer to anybody", () => {
  for (const act of ["take", "discard"] as const) {
    const output = new OutputBuffer();
    append(output, "x");
    const reserved = output.bytes;
    output.reserved = true;
    const taken = output[act]();
    if (taken !== undefined) releaseBuffer(taken.owner);
    const acquired = Array.from({ length: 200 }, () => acquireBuffer(1));
    assert.equal(acquired.includes(reserved), false);
    assert.equal(output.reserved, false);
    for (const buffer of acquired) releaseBuffer(buffer);
  }
});

test("the pool gives back what it was given, and nothing of another size", () => {
  const small = acquireBuffer(1);
  releaseBuffer(small);
  assert.equal(acquireBuffer(SMALL_BUFFER_BYTES), small);
  const large = acquireBuffer(SMALL_BUFFER_BYTES + 1);
  releaseBuffer(large);
  assert.equal(acquireBuffer(LARGE_BUFFER_BYTES), large);
  const odd = acquireBuffer(LARGE_BUFFER_BYTES + 1);
  assert.equal(odd.length, LARGE_BUFFER_BYTES + 1);
  releaseBuffer(odd);
  assert.notEqual(acquireBuffer(LARGE_BUFFER_BYTES + 1), odd);
});
