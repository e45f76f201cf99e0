import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Backlog } from "./backlog.ts";

function taken(backlog: Backlog): [string, number] {
  backlog.take();
  const { bytes, start, end, flag } = backlog;
  return [bytes.toString("latin1", start, end), flag];
}

test("messages come out in the order and with the flag they went in, and stay as they were", () => {
  const backlog = new Backlog();
  const source = Buffer.from("--abc--");
  backlog.add(source, 2, 5, 0);
  backlog.add(source, 0, 0, 1);
  backlog.keep();
  source.fill(0);
  assert.equal(backlog.nextFlag, 0);
  assert.deepEqual(taken(backlog), ["abc", 0]);
  assert.equal(backlog.nextFlag, 1);
  assert.deepEqual(taken(backlog), ["", 1]);
  assert.equal(backlog.isEmpty, true);
});

test("messages that lie behind each other in a chunk are kept with one copy, wherever the chunk begins", () => {
  const text = (at: number): string => "x".repeat(at % 7);
  const framed = Buffer.concat(
    Array.from({ length: 50 }, (_, at) => Buffer.from(`\0\0\0\0${String.fromCharCode(at % 7)}${text(at)}`, "latin1")),
  );
  const backlog = new Backlog();
  const copies: number[] = [];
  framed.copy = (target, targetStart, start, end) => {
    copies.push(end! - start!);
    return Buffer.prototype.copy.call(framed, target, targetStart, start, end);
  };
  let at = 0;
  for (let index = 0; index < 50; index++) {
    backlog.add(framed, at + 5, at + 5 + (index % 7), 0);
    at += 5 + (index % 7);
  }
  assert.equal(backlog.isEmpty, false);
  backlog.keep();
  assert.deepEqual(copies, [framed.length]);
  framed.fill(0xff);
  for (let index = 0; index < 50; index++) assert.deepEqual(taken(backlog), [text(index), 0]);
  assert.equal(backlog.isEmpty, true);
});

test("thousands of empty messages cost about the octets they came in", () => {
  const backlog = new Backlog();
  for (let at = 0; at < 13_107; at++) backlog.add(Buffer.alloc(0), 0, 0, 0);
  assert.ok(backlog.heldBytes <= 2 * 65_536, `${backlog.heldBytes} octets are reserved`);
});

test("whatever goes in and out, order and content hold, and memory is at most twice what waits and a buffer", () => {
  const lengths = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 50_000 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(lengths, fc.boolean()), { maxLength: 120 }), (acts) => {
      const backlog = new Backlog();
      const expected: [string, number][] = [];
      let waiting = 0;
      for (const [at, [length, isTake]] of acts.entries()) {
        if (isTake && expected.length > 0) {
          const [text, flag] = expected.shift()!;
          waiting -= text.length + 5;
          assert.deepEqual(taken(backlog), [text, flag]);
        } else {
          const text = String.fromCharCode(33 + (at % 90)).repeat(length);
          backlog.add(Buffer.from(text, "latin1"), 0, length, at % 2);
          expected.push([text, at % 2]);
          waiting += length + 5;
        }
      }
      // Both ends may be partly used: the largest message, and the largest buffer.
      assert.ok(backlog.heldBytes <= 2 * waiting + 50_005 + 32_768, `${backlog.heldBytes} for ${waiting}`);
      for (const each of expected) assert.deepEqual(taken(backlog), each);
      assert.equal(backlog.heldBytes, 0);
    }),
  );
});
