/** Frames that stop in the middle or come slowly, in either role, on virtual time: when that ends the connection, and when it must not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Http2Options, Role } from "../../src/http2/options.ts";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

const ROLES: readonly Role[] = ["server", "client"];
const HEADER_MS = 10_000;
const FRAME_MS = 20_000;
const FRAME_HEADER_BYTES = 9;

/** With a stream 1 that the peer may send DATA on. */
function ready(role: Role, options: Http2Options = {}): CoreUnderTest {
  const core = CoreUnderTest.ready(role, options);
  if (role === "server") core.receive(frames.headers(1).request("POST", "/s/m"));
  else {
    core.http2.sendHeaders(core.http2.openStream(), [], false);
    core.receive(frames.headers(1).response(200));
  }
  core.sent();
  core.events();
  return core;
}

const FRAMES: Readonly<Record<string, Buffer>> = {
  DATA: frames.data(1, Buffer.alloc(2_000)).bytes(),
  PRIORITY: frames.priority(1, 0).bytes(),
  RST_STREAM: frames.rstStream(1, 8).bytes(),
  SETTINGS: frames.settings([4, 65_535]).bytes(),
  PING: frames.ping("aaaaaaaa").bytes(),
  GOAWAY: frames.goAway(0, 0, "x".repeat(2_000)).bytes(),
  WINDOW_UPDATE: frames.windowUpdate(0, 1).bytes(),
  unknown: frames.raw(0x2a, 0, 0, Buffer.alloc(2_000)).bytes(),
};
const HEADERS = frames
  .headers(3)
  .request("POST", "/s/m", [["x", "y".repeat(2_000)]])
  .bytes();

/** How long the core goes on. */
function lifeMs(core: CoreUnderTest, everySecond: (second: number) => void = () => undefined): number {
  const startMs = core.clock.nowMs;
  for (let second = 0; second < 3_600 && !core.http2.isClosed; second++) {
    everySecond(second);
    core.advance(1_000);
  }
  return core.clock.nowMs - startMs;
}

function octetASecond(core: CoreUnderTest, bytes: Buffer): number {
  return lifeMs(core, (second) => void core.receive(bytes.subarray(second, second + 1)));
}

for (const role of ROLES) {
  for (const [name, bytes] of Object.entries(FRAMES)) {
    test(`${role}: a ${name} frame that stops in the middle ends the connection after frameTimeoutMs, wherever it stops`, () => {
      for (const cut of [1, 3, 4, FRAME_HEADER_BYTES - 1, FRAME_HEADER_BYTES, bytes.length - 1]) {
        const core = ready(role).receive(bytes.subarray(0, Math.min(cut, bytes.length - 1)));
        assert.equal(lifeMs(core), FRAME_MS, `cut after ${cut} octets`);
        assert.equal(core.http2.fault?.cause, "frame-timeout");
        assert.equal(core.http2.nextTimeout(), Number.POSITIVE_INFINITY);
      }
    });
  }

  test(`${role}: an octet a second is no progress, of DATA or of a frame header`, () => {
    assert.equal(octetASecond(ready(role), FRAMES.DATA!), FRAME_MS);
    const pings = Buffer.concat(Array.from({ length: 100 }, () => FRAMES.PING!));
    assert.equal(octetASecond(ready(role), pings), 3_600_000, "frames that are complete in time are no fault");
  });

  test(`${role}: §6.2 a HEADERS frame must be complete headerBlockTimeoutMs after its first octet`, () => {
    for (const cut of [4, FRAME_HEADER_BYTES, HEADERS.length - 1]) {
      const core = ready(role).receive(HEADERS.subarray(0, cut));
      assert.equal(lifeMs(core), HEADER_MS, `cut after ${cut} octets`);
      assert.equal(core.http2.fault?.cause, "header-block-timeout");
    }
    assert.equal(octetASecond(ready(role), HEADERS), HEADER_MS);
  });

  test(`${role}: a frame that begins in the chunk that completes another has its own time`, () => {
    const data = FRAMES.DATA!;
    const core = ready(role).receive(data.subarray(0, 100)).advance(15_000);
    core.receive(data.subarray(100), data.subarray(0, 100));
    assert.equal(lifeMs(core), FRAME_MS);
  });

  test(`${role}: nothing is armed by whole frames, nor left behind by one that is complete`, () => {
    const data = FRAMES.DATA!;
    const core = ready(role).receive(data, data);
    assert.equal(core.http2.nextTimeout(), Number.POSITIVE_INFINITY);
    core.receive(data, data.subarray(0, 10));
    assert.ok(core.http2.nextTimeout() < Number.POSITIVE_INFINITY);
    core.receive(data.subarray(10));
    assert.equal(core.http2.nextTimeout(), Number.POSITIVE_INFINITY);
  });

  test(`${role}: chunks that all end inside frames set one time of a look, and not one each`, () => {
    const data = FRAMES.DATA!;
    const core = ready(role, { initialStreamWindowBytes: 1_000_000 }).receive(data.subarray(0, 1_000));
    const due = core.http2.nextTimeout();
    for (let chunk = 0; chunk < 10; chunk++) {
      core.advance(100).receive(data.subarray(1_000), data.subarray(0, 1_000));
      assert.equal(core.http2.nextTimeout(), due);
    }
  });

  test(`${role}: an upload of 60 octets a second goes on in frames of 16 KiB, and one of 40 does not`, () => {
    const large = frames.data(1, Buffer.alloc(16_384)).bytes();
    const upload = (bytesASecond: number): CoreUnderTest => {
      const core = ready(role);
      const seconds = Math.ceil(large.length / bytesASecond);
      for (let second = 0; second < seconds && !core.http2.isClosed; second++) {
        core.receive(large.subarray(second * bytesASecond, (second + 1) * bytesASecond)).advance(1_000);
      }
      return core;
    };
    const slow = upload(60);
    assert.deepEqual(slow.events(), ["data 1 [16384]"]);
    assert.equal(slow.http2.faultCounts.size, 0);
    assert.equal(upload(40).http2.fault?.cause, "frame-timeout");
  });

  test(`${role}: an outage of 19 seconds in the middle of a frame does no harm, again and again`, () => {
    const large = frames.data(1, Buffer.alloc(16_384)).bytes();
    const core = ready(role);
    for (let at = 0; at < large.length; at += 1_400) core.receive(large.subarray(at, at + 1_400)).advance(19_000);
    assert.deepEqual(core.events(), ["data 1 [16384]"]);
  });

  test(`${role}: a frame of 4 MiB, where maxFrameBytes allows it, takes half an hour over 2 KiB a second`, () => {
    const windows = { initialStreamWindowBytes: 8_000_000, connectionWindowBytes: 8_000_000 };
    const core = ready(role, { maxFrameBytes: 4_194_304, ...windows });
    const bytes = frames.data(1, Buffer.alloc(4_194_304)).bytes();
    for (let at = 0; at < bytes.length; at += 2_048) core.receive(bytes.subarray(at, at + 2_048)).advance(1_000);
    assert.deepEqual(core.events(), ["data 1 [4194304]"]);
  });

  test(`${role}: while we do not read, no peer is at fault, and afterwards it has its whole time`, () => {
    const opened = frames.headers(3).request("POST", "/s/m").withoutFlag(0x4).bytes();
    for (const [part, ownMs] of [
      [FRAMES.DATA!.subarray(0, 12), FRAME_MS],
      [HEADERS.subarray(0, 20), HEADER_MS],
      [opened, HEADER_MS],
    ] as const) {
      const core = ready(role).receive(part);
      core.advance(ownMs - 1);
      core.http2.handlePause(true, core.clock.nowMs);
      assert.equal(core.http2.nextTimeout(), Number.POSITIVE_INFINITY);
      core.advance(3_600_000);
      core.http2.handlePause(false, core.clock.nowMs);
      assert.equal(lifeMs(core), ownMs);
    }
  });
}

test("§6.10 the time of a header block begins with the first octet of its HEADERS, also where that came in pieces", () => {
  const opened = frames.headers(1).request("POST", "/s/m").withoutFlag(0x4).bytes();
  const core = CoreUnderTest.ready("server").receive(opened.subarray(0, 5)).advance(6_000);
  core.receive(opened.subarray(5));
  assert.equal(lifeMs(core), HEADER_MS - 6_000);
  assert.equal(core.http2.fault?.cause, "header-block-timeout");
});

test("§3.4 a preface that stops in the middle is given up by the handshake's time", () => {
  const core = new CoreUnderTest("server").receive(frames.preface.subarray(0, 20));
  assert.equal(lifeMs(core), 10_000);
  assert.equal(core.http2.fault?.cause, "handshake-timeout");
});

/** Time passes, and the transport says what it took in by then. */
function lifeWithTransport(core: CoreUnderTest, receivedAt: (ms: number) => number, limitMs: number): number {
  const startMs = core.clock.nowMs;
  for (let ms = 0; ms <= limitMs && !core.http2.isClosed; ms += 1_000) {
    if (core.http2.nextTimeout() <= core.clock.nowMs) core.http2.handleTimeout(core.clock.nowMs, receivedAt(ms));
    if (!core.http2.isClosed) core.clock.advance(1_000);
  }
  return core.clock.nowMs - startMs;
}

test("a record of TLS that is not complete is progress: 100 octets a second of it hold a frame, one does not", () => {
  const cut = FRAMES.DATA!.subarray(0, 500);
  const slow = ready("server").receive(cut);
  assert.ok(lifeWithTransport(slow, (ms) => ms / 10, 600_000) > 600_000);
  assert.equal(slow.http2.faultCounts.size, 0);
  assert.equal(
    lifeWithTransport(ready("server").receive(cut), (ms) => ms / 1_000, 600_000),
    FRAME_MS,
  );
  assert.equal(
    lifeWithTransport(ready("server").receive(cut), () => 1_000_000, 600_000),
    FRAME_MS,
  );
});

test("records of one octet each are no progress, although they are mostly overhead", () => {
  const core = ready("server").receive(FRAMES.DATA!.subarray(0, 500));
  let seconds = 0;
  for (; seconds < 600 && !core.http2.isClosed; seconds++) {
    core.receive(Buffer.alloc(1));
    core.clock.advance(1_000);
    if (core.http2.nextTimeout() <= core.clock.nowMs) core.http2.handleTimeout(core.clock.nowMs, seconds * 100);
  }
  assert.equal(seconds, 20);
});

test("with frameTimeoutMs off a frame may take for ever, and header blocks keep their limit", () => {
  const options = { frameTimeoutMs: Number.POSITIVE_INFINITY };
  const core = ready("server", options).receive(FRAMES.DATA!.subarray(0, 500));
  assert.equal(lifeMs(core), 3_600_000);
  assert.equal(lifeMs(ready("server", options).receive(HEADERS.subarray(0, 500))), HEADER_MS);
});
