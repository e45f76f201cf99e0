import assert from "node:assert/strict";
import { test } from "node:test";
import { Http2Connection, type Http2Sink, type Http2Stream, resolveHttp2Options } from "../http2/index.ts";
import { RecordingSink } from "../testing/connection-pair.ts";
import { FrameTrace, frames } from "../testing/frame-factory.ts";
import { eventually } from "../testing/use-server.ts";
import { Driver } from "./driver.ts";
import { timerWheel } from "./timer-wheel.ts";
import type { Wire } from "./wire.ts";

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A wire whose other end is the test: it takes writes, or keeps them waiting. */
class ScriptedWire implements Wire {
  readonly peer = { address: "test" };
  readonly log: string[] = [];
  readonly trace = new FrameTrace();
  /** The next writes are kept waiting. */
  isFull = false;
  driver: Driver | undefined;
  private waiting: { readonly bytes: Buffer; readonly done: () => void } | undefined;

  write(bytes: Buffer, onWritten: () => void): boolean {
    assert.equal(this.waiting, undefined, "one write at a time");
    if (this.isFull) {
      this.waiting = { bytes, done: onWritten };
      this.log.push("waiting");
      return false;
    }
    this.show(bytes);
    return true;
  }

  /** What is left of the write that waits. */
  unsentBytes = 0;
  receivedBytes = 0;
  /** Read, and not handled before {@link handledBytes} is as much. */
  inputMark = 0;
  handledBytes = 0;

  isHandled(inputMark: number): boolean {
    return this.handledBytes >= inputMark;
  }

  /** The peer reads. */
  drain(): void {
    const { bytes, done } = this.waiting!;
    this.waiting = undefined;
    this.show(bytes);
    done();
  }

  pause(): void {
    this.log.push("pause");
  }

  resume(): void {
    this.log.push("resume");
  }

  end(): void {
    this.log.push("end");
  }

  destroy(): void {
    this.log.push("destroy");
    this.driver!.onClosed(undefined);
  }

  ref(): void {}

  unref(): void {}

  take(): string[] {
    return this.log.splice(0);
  }

  private show(bytes: Buffer): void {
    for (const frame of this.trace.read(bytes)) this.log.push(frame.text);
  }
}

function setUp(react: Partial<Http2Sink> = {}, onDefect?: (error: unknown) => void) {
  const sink = new RecordingSink();
  const gone: (Error | undefined)[] = [];
  const http2 = new Http2Connection("server", resolveHttp2Options(), sink);
  const driver = new Driver(http2, (error) => gone.push(error), onDefect);
  sink.react = { onOutput: (urgent) => driver.outputPending(urgent), ...react };
  const wire = new ScriptedWire();
  wire.driver = driver;
  driver.start(wire);
  return { sink, http2, driver, wire, gone };
}

async function ready(react: Partial<Http2Sink> = {}, onDefect?: (error: unknown) => void) {
  const lab = setUp(react, onDefect);
  const opening = Buffer.concat([frames.preface, frames.settings().bytes(), frames.settingsAck().bytes()]);
  lab.driver.onChunk(opening);
  await endOfTurn();
  lab.wire.take();
  return lab;
}

function request(streamId: number): Buffer {
  return frames.headers(streamId).request("POST", "/s/m").bytes();
}

function closed(driver: Driver): void {
  driver.onClosed(undefined);
}

test("output leaves once, at the end of the turn", async () => {
  const { driver, wire } = await ready();
  driver.onChunk(Buffer.concat([frames.ping("aaaaaaaa").bytes(), frames.ping("bbbbbbbb").bytes()]));
  assert.deepEqual(wire.log, []);
  await endOfTurn();
  assert.deepEqual(wire.take(), ["PING 6161616161616161 ack", "PING 6262626262626262 ack"]);
  closed(driver);
});

test("output above 64 KiB does not wait for the end of the turn", async () => {
  let stream: Http2Stream | undefined;
  const { driver, wire, http2 } = await ready({ onHeaders: (opened) => (stream = opened) });
  driver.onChunk(
    Buffer.concat([request(1), frames.windowUpdate(1, 1 << 20).bytes(), frames.windowUpdate(0, 1 << 20).bytes()]),
  );
  http2.sendHeaders(stream!, [{ name: ":status", value: "200", indexing: 0 }], false);
  http2.sendData(stream!, Buffer.alloc(60_000), false);
  assert.deepEqual(wire.log, []);
  http2.sendData(stream!, Buffer.alloc(10_000), false);
  assert.ok(wire.take().length > 0);
  closed(driver);
});

test("a peer that does not read holds up writing, not the turn; when it reads the rest follows", async () => {
  const { driver, wire } = await ready();
  wire.isFull = true;
  driver.onChunk(frames.ping("aaaaaaaa").bytes());
  await endOfTurn();
  driver.onChunk(frames.ping("bbbbbbbb").bytes());
  await endOfTurn();
  assert.deepEqual(wire.take(), ["waiting"]);
  wire.isFull = false;
  wire.drain();
  assert.deepEqual(wire.take(), ["PING 6161616161616161 ack", "PING 6262626262626262 ack"]);
  closed(driver);
});

test("a peer that has spent a budget is not read until it has grown back, though nothing waits to be written", async () => {
  const { driver, wire, http2 } = await ready();
  const unknown = frames.raw(0x2a, 0, 0).bytes();
  driver.onChunk(Buffer.alloc(10_010 * unknown.length, unknown));
  assert.deepEqual(wire.take(), ["pause"]);
  await eventually("the budget to grow back", () => wire.log.includes("resume"));
  assert.equal(http2.mayRead, true);
  assert.deepEqual(wire.take(), ["resume"]);
  closed(driver);
});

test("a writer is told to go on when the wire took what was queued", async () => {
  const writable: number[] = [];
  let stream: Http2Stream | undefined;
  const { driver, wire, http2 } = await ready({
    onHeaders: (opened) => (stream = opened),
    onWritable: ({ id }) => writable.push(id),
  });
  wire.isFull = true;
  driver.onChunk(
    Buffer.concat([request(1), frames.windowUpdate(1, 1 << 24).bytes(), frames.windowUpdate(0, 1 << 24).bytes()]),
  );
  http2.sendHeaders(stream!, [{ name: ":status", value: "200", indexing: 0 }], false);
  let sent = 0;
  while (http2.sendData(stream!, Buffer.alloc(50_000), false)) {
    sent += 50_000;
    assert.ok(sent < 2_000_000, "the writer has to wait at some time");
  }
  await endOfTurn();
  assert.deepEqual(writable, []);
  wire.isFull = false;
  wire.drain();
  await eventually("the writer to be told", () => writable.length === 1);
  closed(driver);
});

test("CVE-2019-9512 a peer that provokes answers and does not read is not read either, until it reads", async () => {
  const { driver, wire } = await ready();
  wire.isFull = true;
  const pings = Buffer.concat(Array.from({ length: 150 }, () => frames.ping().bytes()));
  driver.onChunk(pings);
  assert.deepEqual(wire.take(), ["waiting", "pause"]);
  wire.isFull = false;
  wire.drain();
  assert.ok(wire.take().includes("resume"));
  closed(driver);
});

test("the same many answers do not pause a peer that reads", async () => {
  const { driver, wire } = await ready();
  driver.onChunk(Buffer.concat(Array.from({ length: 150 }, () => frames.ping().bytes())));
  await endOfTurn();
  assert.ok(!wire.take().includes("pause"));
  closed(driver);
});

test("what comes behind our GOAWAY is dropped, and a peer that floods on is cut off", async () => {
  const { driver, wire } = await ready();
  driver.onChunk(frames.data(0, "x").bytes());
  assert.match(wire.log[0]!, /^GOAWAY/);
  assert.deepEqual(wire.take().slice(1), ["end"]);
  const chunk = Buffer.alloc(65_536);
  for (let at = 0; at < 4; at++) driver.onChunk(chunk);
  assert.ok(!wire.log.includes("destroy"), "a window's worth may have been under way");
  driver.onChunk(chunk);
  // The end may be repeated where the turn takes long.
  assert.equal(wire.take().at(-1), "destroy");
});

test("a fault ends the connection: the GOAWAY goes out, then the wire's end", async () => {
  const { driver, wire, gone } = await ready();
  driver.onChunk(frames.raw(0, 0, 0, Buffer.from("x")).bytes());
  assert.match(wire.log[0]!, /^GOAWAY last=0 PROTOCOL_ERROR/);
  assert.deepEqual(wire.take().slice(1), ["end"]);
  assert.deepEqual(gone, []);
  driver.onChunk(frames.ping().bytes());
  driver.onEnd();
  driver.onClosed(undefined);
  driver.onClosed(undefined);
  assert.deepEqual(gone, [undefined]);
  assert.ok(!wire.log.some((line) => line.startsWith("PING")));
});

test("last words that a peer does not take are given up within a second", async () => {
  const before = timerWheel.size;
  const { driver, wire, gone } = await ready();
  wire.isFull = true;
  driver.close();
  assert.deepEqual(wire.take(), ["waiting"]);
  await eventually("the wire to be destroyed", () => wire.log.includes("destroy"));
  assert.deepEqual(gone, [undefined]);
  assert.equal(timerWheel.size, before);
});

test("a peer that has ended its side and reads nothing holds nothing for longer than a second", async () => {
  const { driver, wire, gone } = await ready();
  wire.isFull = true;
  driver.onChunk(frames.ping().bytes());
  await endOfTurn();
  driver.onEnd();
  assert.deepEqual(wire.take(), ["waiting"]);
  await eventually("the wire to be destroyed", () => wire.log.includes("destroy"));
  assert.deepEqual(gone, [undefined]);
});

test("last words behind a write that waits go out with it", async () => {
  const { driver, wire } = await ready();
  wire.isFull = true;
  driver.onChunk(frames.ping().bytes());
  await endOfTurn();
  driver.close();
  assert.deepEqual(wire.take(), ["waiting"]);
  wire.isFull = false;
  wire.drain();
  const [ping, goAway, end] = wire.take();
  assert.match(ping!, /^PING/);
  assert.match(goAway!, /^GOAWAY/);
  assert.equal(end, "end");
  closed(driver);
});

test("streams hear of a lost wire before the owner does", async () => {
  const log: string[] = [];
  const lab = await ready({ onClosed: (fault) => log.push(fault.cause) });
  lab.driver.onChunk(request(1));
  lab.driver.onClosed(new Error("ECONNRESET"));
  assert.deepEqual(log, ["transport-closed"]);
  assert.deepEqual(lab.gone.map(String), ["Error: ECONNRESET"]);
});

test("a drained connection closes when its last stream has ended, whenever that is", async () => {
  let stream: Http2Stream | undefined;
  const { driver, wire, http2 } = await ready({ onHeaders: (opened) => (stream = opened) });
  driver.onChunk(frames.headers(1).request("POST", "/s/m").endStream().bytes());
  http2.beginDrain(performance.now());
  driver.afterCore();
  await endOfTurn();
  const ping = wire.take().find((line) => line.startsWith("PING"))!;
  driver.onChunk(frames.raw(6, 1, 0, Buffer.from(ping.split(" ")[1]!, "hex")).bytes());
  await endOfTurn();
  assert.deepEqual(wire.take(), ['GOAWAY last=1 NO_ERROR "draining"']);
  http2.sendHeaders(stream!, [{ name: ":status", value: "200", indexing: 0 }], true);
  await endOfTurn();
  const last = wire.take();
  assert.match(last[0]!, /^HEADERS 1 end/);
  assert.equal(last.at(-1), "end");
  closed(driver);
});

test("what a callback throws costs this connection, and is told once", async () => {
  const defects: unknown[] = [];
  const { driver, wire } = await ready(
    {
      onHeaders: () => {
        throw new Error("defect");
      },
    },
    (error) => defects.push(error),
  );
  driver.onChunk(request(1));
  assert.deepEqual(defects.map(String), ["Error: defect"]);
  assert.match(wire.log[0]!, /^GOAWAY last=1 INTERNAL_ERROR/);
  assert.equal(wire.log.at(-1), "end");
  closed(driver);
});

test("RFC 9113 §3.4 a peer that says nothing is given up by the handshake's deadline", async () => {
  const { driver, wire, http2 } = setUp();
  assert.ok(http2.nextTimeout() < Number.POSITIVE_INFINITY);
  driver.handleTimer(http2.nextTimeout());
  assert.equal(http2.fault?.cause, "handshake-timeout");
  assert.equal(wire.log.at(-1), "end");
  closed(driver);
});

test("CVE-2019-9517 a write of which the wire takes nothing ends the connection; what broke the wire is told before the end", async () => {
  const closed: string[] = [];
  const sink = new RecordingSink();
  const http2 = new Http2Connection("server", resolveHttp2Options(), sink);
  const driver = new Driver(http2, () => closed.push("gone"));
  const onClosed = ({ cause }: { readonly cause: string }): void => {
    closed.push(`${cause} ${driver.closeError?.message ?? "unbroken"}`);
  };
  sink.react = { onOutput: (urgent) => driver.outputPending(urgent), onClosed };
  const wire = new ScriptedWire();
  wire.driver = driver;
  wire.isFull = true;
  wire.unsentBytes = 10;
  // Any time does: nothing is taken however long it is.
  driver.start(wire, 10);
  driver.onChunk(Buffer.concat([frames.preface, frames.settings().bytes()]));
  await eventually("the wire to be destroyed", () => wire.log.includes("destroy"));
  assert.deepEqual(closed, ["write-stalled unbroken", "gone"]);

  const broken = setUp({ onClosed: () => void closed.push(String(broken.driver.closeError?.message)) });
  broken.driver.onClosed(new Error("read ECONNRESET"));
  assert.equal(closed.at(-1), "read ECONNRESET");
});

test("a pause begins no write while one is under way, and reading goes on once everything has left", async () => {
  const { driver, wire } = await ready();
  wire.isFull = true;
  driver.onChunk(frames.ping("aaaaaaaa").bytes());
  await endOfTurn();
  const pings = Array.from({ length: 150 }, () => frames.ping("bbbbbbbb").bytes());
  driver.onChunk(Buffer.concat(pings));
  await endOfTurn();
  assert.deepEqual(wire.take(), ["waiting", "pause"]);
  wire.isFull = false;
  wire.drain();
  const log = wire.take();
  assert.equal(log.filter((line) => line.startsWith("PING")).length, 151);
  assert.equal(log.at(-1), "resume");
  driver.onChunk(frames.ping("cccccccc").bytes());
  await endOfTurn();
  assert.deepEqual(wire.take(), ["PING 6363636363636363 ack"]);
  closed(driver);
});

test("a deadline that passed while the process stood still waits for what had arrived, once", async () => {
  const { driver, wire, gone } = setUp();
  driver.onChunk(Buffer.concat([frames.preface, frames.settings().bytes()]));
  await endOfTurn();
  wire.take();
  const dueMs = driver.http2.nextTimeout();
  driver.handleTimer(dueMs + 5_000);
  assert.deepEqual([driver.http2.isClosed, wire.take()], [false, []]);
  driver.onChunk(frames.settingsAck().bytes());
  assert.equal(driver.http2.nextTimeout(), Number.POSITIVE_INFINITY);
  closed(driver);

  const silent = setUp();
  silent.driver.onChunk(Buffer.concat([frames.preface, frames.settings().bytes()]));
  await endOfTurn();
  silent.wire.take();
  silent.driver.handleTimer(dueMs + 5_000);
  silent.driver.handleTimer(dueMs + 6_000);
  assert.equal(silent.driver.http2.fault?.cause, "settings-ack-timeout");
  closed(silent.driver);
  assert.deepEqual([gone.length, silent.gone.length, timerWheel.size], [1, 1, 0]);
});

test("a deadline waits for what was read and has to wait for its turn, and not for what comes later", async () => {
  const { driver, wire, http2 } = setUp();
  driver.onChunk(Buffer.concat([frames.preface, frames.settings().bytes()]));
  await endOfTurn();
  const dueMs = http2.nextTimeout();
  wire.inputMark = 100;
  for (const lateMs of [0, 1_000, 2_000]) {
    driver.handleTimer(dueMs + lateMs);
    assert.equal(http2.isClosed, false, `${lateMs} ms later`);
    wire.inputMark += 100;
    wire.handledBytes += 49;
  }
  driver.handleTimer(dueMs + 3_000);
  assert.equal(http2.fault?.cause, "settings-ack-timeout");
  closed(driver);
});

test("a frame that is not complete while we do not read is no fault of the peer; afterwards its time begins anew", async () => {
  const { driver, wire, http2 } = await ready();
  wire.isFull = true;
  driver.onChunk(frames.ping("aaaaaaaa").bytes());
  await endOfTurn();
  const floods = Array.from({ length: 200 }, () => frames.ping("bbbbbbbb").bytes());
  driver.onChunk(Buffer.concat([...floods, frames.ping("cccccccc").bytes().subarray(0, 12)]));
  assert.equal(wire.log.at(-1), "pause");
  assert.equal(http2.nextTimeout(), Number.POSITIVE_INFINITY);
  wire.isFull = false;
  wire.drain();
  assert.equal(wire.log.at(-1), "resume");
  assert.ok(http2.nextTimeout() < Number.POSITIVE_INFINITY);
  closed(driver);
});

test("what the wire took in and cannot hand on yet is progress of a frame that is not complete", async () => {
  const { driver, wire, http2 } = await ready();
  driver.onChunk(frames.ping("aaaaaaaa").bytes().subarray(0, 12));
  for (let look = 0; look < 20; look++) {
    wire.receivedBytes += 1_000;
    driver.handleTimer(http2.nextTimeout());
  }
  assert.equal(http2.isClosed, false);
  for (let look = 0; look < 3; look++) if (!http2.isClosed) driver.handleTimer(http2.nextTimeout());
  assert.equal(http2.fault?.cause, "frame-timeout");
  closed(driver);
});
