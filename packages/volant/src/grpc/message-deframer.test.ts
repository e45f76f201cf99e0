import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MessageDeframer, type MessageSink } from "./message-deframer.ts";
import { PREFIX_BYTES } from "./message-prefix.ts";

/** Writes down every call; copies the bytes, which are only valid during it. */
class Recorder implements MessageSink {
  readonly calls: string[] = [];
  readonly buffers: Buffer[] = [];
  accepts: (length: number, flag: number) => boolean = () => true;
  afterMessage: () => void = () => {};

  onPrefix(length: number, flag: number): boolean {
    this.calls.push(`prefix ${length} ${flag}`);
    return this.accepts(length, flag);
  }

  onMessage(bytes: Buffer, start: number, end: number, flag: number): void {
    this.buffers.push(bytes);
    this.calls.push(`message ${bytes.toString("hex", start, end)} ${flag}`);
    this.afterMessage();
  }
}

function frame(body: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix[0] = flag;
  prefix.writeUInt32BE(body.byteLength, 1);
  return Buffer.concat([prefix, body]);
}

function create(): { deframer: MessageDeframer; sink: Recorder } {
  const sink = new Recorder();
  return { deframer: new MessageDeframer(sink), sink };
}

const hello = Buffer.from("hello");

const stream = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 3_000 }), fc.integer({ min: 0, max: 255 })), { maxLength: 6 })
  .map((messages) => Buffer.concat(messages.map(([body, flag]) => frame(body, flag))));

test("gRPC detail 25: a message whole in the chunk is handed over where it lies", () => {
  const { deframer, sink } = create();
  const chunk = Buffer.concat([Buffer.from("xx"), frame(hello, 1), Buffer.from("yy")]);
  deframer.push(chunk, 2, chunk.length - 2);
  assert.deepEqual(sink.calls, ["prefix 5 1", "message 68656c6c6f 1"]);
  assert.equal(sink.buffers[0], chunk);
  assert.equal(deframer.isIdle, true);
});

test("gRPC detail 25: several messages of one chunk come in order, empty ones too", () => {
  const { deframer, sink } = create();
  const chunk = Buffer.concat([frame(Buffer.alloc(0)), frame(hello), frame(Buffer.alloc(0), 1)]);
  deframer.push(chunk, 0, chunk.length);
  assert.deepEqual(sink.calls, [
    "prefix 0 0",
    "message  0",
    "prefix 5 0",
    "message 68656c6c6f 0",
    "prefix 0 1",
    "message  1",
  ]);
});

test("gRPC detail 25: any cutting into chunks gives the same calls", () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat()), (bytes, cuts) => {
      const whole = create();
      whole.deframer.push(bytes, 0, bytes.length);
      const cut = create();
      const offsets = [...cuts.map((at) => at % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
      let start = 0;
      for (const end of offsets) {
        cut.deframer.push(bytes, start, end);
        start = end;
      }
      assert.deepEqual(cut.sink.calls, whole.sink.calls);
      assert.equal(cut.deframer.isIdle, true);
      assert.equal(cut.deframer.heldBytes, 0);
    }),
  );
});

test("gRPC detail 25: a feed of single bytes, each in a buffer that is then overwritten, equals the whole", () => {
  fc.assert(
    fc.property(stream, (bytes) => {
      const whole = create();
      whole.deframer.push(bytes, 0, bytes.length);
      const single = create();
      const chunk = Buffer.alloc(1);
      for (const byte of bytes) {
        chunk[0] = byte;
        single.deframer.push(chunk, 0, 1);
        chunk[0] = 0xaa;
      }
      assert.deepEqual(single.sink.calls, whole.sink.calls);
    }),
    { numRuns: 50 },
  );
});

test("gRPC detail 25: the five bytes of the prefix may be split at every offset", () => {
  const bytes = frame(hello);
  for (let at = 0; at <= bytes.length; at++) {
    const { deframer, sink } = create();
    deframer.push(bytes, 0, at);
    assert.equal(deframer.isIdle, at === 0 || at === bytes.length, `at ${at}`);
    assert.equal(deframer.pendingBytes, at === bytes.length ? 0 : Math.max(0, at - PREFIX_BYTES), `at ${at}`);
    deframer.push(bytes, at, bytes.length);
    assert.deepEqual(sink.calls, ["prefix 5 0", "message 68656c6c6f 0"], `at ${at}`);
  }
});

test("gRPC detail 21: the prefix is offered before a byte of the body is kept, and a refusal ends everything", () => {
  const { deframer, sink } = create();
  sink.accepts = (length) => {
    assert.equal(deframer.heldBytes, 0);
    return length <= 5;
  };
  const bytes = Buffer.concat([frame(hello), frame(Buffer.alloc(6)), frame(hello)]);
  deframer.push(bytes, 0, bytes.length);
  deframer.push(frame(hello), 0, PREFIX_BYTES + 5);
  assert.deepEqual(sink.calls, ["prefix 5 0", "message 68656c6c6f 0", "prefix 6 0"]);
  assert.equal(deframer.heldBytes, 0);
});

test("a declared length of 4 GiB is read as such and reserves what arrived, not what was declared", () => {
  const { deframer, sink } = create();
  const prefix = Buffer.from([0, 0xff, 0xff, 0xff, 0xff]);
  deframer.push(prefix, 0, prefix.length);
  assert.deepEqual(sink.calls, ["prefix 4294967295 0"]);
  assert.equal(deframer.heldBytes, 0);
  deframer.push(Buffer.alloc(1), 0, 1);
  assert.ok(deframer.heldBytes <= 1024, `${deframer.heldBytes} bytes reserved for one`);
});

test("memory held stays below 1 KiB plus twice what arrived, and never exceeds the declared length", () => {
  const chunks = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200_000 }), chunks, (declared, sizes) => {
      const { deframer } = create();
      const prefix = frame(Buffer.alloc(declared)).subarray(0, PREFIX_BYTES);
      deframer.push(prefix, 0, PREFIX_BYTES);
      let arrived = 0;
      for (const size of sizes) {
        if (arrived + size >= declared) break;
        arrived += size;
        deframer.push(Buffer.alloc(size), 0, size);
        assert.equal(deframer.pendingBytes, arrived);
        assert.ok(deframer.heldBytes >= arrived);
        assert.ok(deframer.heldBytes <= Math.min(declared, 1024 + 2 * arrived));
      }
    }),
  );
});

test("a message that came in pieces lies in an exactly sized buffer that is the sink's to keep", () => {
  const { deframer, sink } = create();
  const bodies = [Buffer.alloc(5_000, 1), Buffer.alloc(5_000, 2)];
  for (const bytes of bodies.map((body) => frame(body))) {
    for (let at = 0; at < bytes.length; at += 700) {
      const chunk = Buffer.from(bytes.subarray(at, at + 700));
      deframer.push(chunk, 0, chunk.length);
    }
  }
  assert.deepEqual(sink.buffers, bodies);
});

test("a sink may stop the deframer from inside a message", () => {
  const { deframer, sink } = create();
  sink.afterMessage = () => deframer.stop();
  const bytes = Buffer.concat([frame(hello), frame(hello)]);
  deframer.push(bytes, 0, bytes.length);
  assert.deepEqual(sink.calls, ["prefix 5 0", "message 68656c6c6f 0"]);
});

test("reset forgets an unfinished message and a refusal", () => {
  const { deframer, sink } = create();
  const bytes = frame(hello);
  deframer.push(bytes, 0, 7);
  deframer.reset();
  assert.equal(deframer.isIdle, true);
  assert.equal(deframer.pendingBytes, 0);
  deframer.push(bytes, 0, bytes.length);
  deframer.stop();
  deframer.reset();
  deframer.push(bytes, 0, bytes.length);
  assert.deepEqual(sink.calls.slice(1), ["prefix 5 0", "message 68656c6c6f 0", "prefix 5 0", "message 68656c6c6f 0"]);
});
