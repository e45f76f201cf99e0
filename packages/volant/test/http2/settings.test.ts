import assert from "node:assert/strict";
import { test } from "node:test";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

test("§6.5.3 SETTINGS are acknowledged at once, and in order", () => {
  const server = CoreUnderTest.ready("server");
  assert.deepEqual(server.receive(frames.settings(), frames.ping(), frames.settings([4, 1])).sent(), [
    "SETTINGS ack",
    "PING 3132333435363738 ack",
    "SETTINGS ack",
  ]);
  assert.deepEqual(server.events(), ["settings", "settings"]);
});

for (const [what, role, entry, cause] of [
  ["ENABLE_PUSH above 1", "server", [2, 2], "PROTOCOL_ERROR settings-enable-push"],
  ["ENABLE_PUSH 1 from a server", "client", [2, 1], "PROTOCOL_ERROR settings-enable-push-from-server"],
  ["INITIAL_WINDOW_SIZE above 2^31-1", "server", [4, 0x8000_0000], "FLOW_CONTROL_ERROR settings-initial-window-size"],
  ["MAX_FRAME_SIZE below 16,384", "client", [5, 16_383], "PROTOCOL_ERROR settings-max-frame-size"],
  ["MAX_FRAME_SIZE above 2^24-1", "client", [5, 16_777_216], "PROTOCOL_ERROR settings-max-frame-size"],
  ["NO_RFC7540_PRIORITIES above 1 (RFC 9218 §2.1)", "server", [9, 2], "PROTOCOL_ERROR settings-no-rfc7540-priorities"],
] as const) {
  test(`§6.5.2 ${what} is a connection error`, () => {
    const core = CoreUnderTest.ready(role).receive(frames.settings(entry));
    assert.deepEqual(core.events(), [`closed ${cause} library`]);
  });
}

test("§6.5.2 the extremes of every parameter are legal, and unknown parameters are ignored", () => {
  for (const entry of [
    [1, 0],
    [1, 0xffff_ffff],
    [2, 0],
    [2, 1],
    [3, 0],
    [3, 0xffff_ffff],
    [4, 0],
    [4, 0x7fff_ffff],
    [5, 16_384],
    [5, 16_777_215],
    [6, 0],
    [6, 0xffff_ffff],
    [8, 1],
    [9, 1],
    [0xffff, 0xffff_ffff],
  ] as const) {
    const server = CoreUnderTest.ready("server").receive(frames.settings(entry));
    assert.deepEqual(server.events(), ["settings"], String(entry));
  }
  assert.deepEqual(
    CoreUnderTest.ready("client")
      .receive(frames.settings([2, 0]))
      .events(),
    ["settings"],
  );
});

test("§6.5 the last of repeated parameters counts", () => {
  const client = CoreUnderTest.ready("client", {}, [3, 0], [3, 7]);
  assert.equal(client.http2.canOpenStream, true);
});

test("§6.5 many parameters in one frame are refused above maxSettingsEntries, and accepted up to it", () => {
  const entries = Array.from({ length: 33 }, () => [0x99, 1] as const);
  const legal = CoreUnderTest.ready("server").receive(frames.settings(...entries.slice(1)));
  assert.deepEqual(legal.events(), ["settings"]);
  const attacked = CoreUnderTest.ready("server").receive(frames.settings(...entries));
  assert.deepEqual(attacked.events(), ["closed ENHANCE_YOUR_CALM settings-too-many-entries library"]);
});

test("§6.5.3 our SETTINGS must be acknowledged within settingsAckTimeoutMs", () => {
  const server = new CoreUnderTest("server", { settingsAckTimeoutMs: 100 }).receive(frames.preface, frames.settings());
  assert.deepEqual(server.advance(99).events(), ["settings"]);
  assert.deepEqual(server.advance(1).events(), ["closed SETTINGS_TIMEOUT settings-ack-timeout library"]);
  assert.equal(server.sent().at(-1), 'GOAWAY last=0 SETTINGS_TIMEOUT "settings-ack-timeout"');

  const prompt = new CoreUnderTest("server", { settingsAckTimeoutMs: 100 }).receive(frames.preface, frames.settings());
  prompt.advance(99).receive(frames.settingsAck()).advance(1_000_000);
  assert.deepEqual(prompt.events(), ["settings"]);
  assert.equal(prompt.http2.nextTimeout(), Number.POSITIVE_INFINITY);
});

test("§6.5 an acknowledgement of nothing is a connection error", () => {
  const server = CoreUnderTest.ready("server").receive(frames.settingsAck());
  assert.deepEqual(server.events(), ["closed PROTOCOL_ERROR settings-ack-without-settings library"]);
});

test("§6.5.2 a frame up to our MAX_FRAME_SIZE is read, one octet more is a connection error", () => {
  const core = () => CoreUnderTest.ready("server").receive(frames.headers(1).request("POST", "/"));
  assert.deepEqual(core().receive(frames.data(1, 16_384)).events().slice(1), ["data 1 [16384]"]);
  assert.deepEqual(core().receive(frames.data(1, 16_385)).events().slice(1), [
    "closed FRAME_SIZE_ERROR frame-too-large library",
  ]);
  const byHeaderAlone = core().receive(frames.raw(0x42, 0, 0).claimLength(16_385));
  assert.equal(byHeaderAlone.http2.fault?.cause, "frame-too-large", "the payload is not waited for");
  const larger = CoreUnderTest.ready("server", { maxFrameBytes: 20_000 }).receive(
    frames.headers(1).request("POST", "/"),
  );
  assert.deepEqual(larger.receive(frames.data(1, 20_000)).events().slice(1), ["data 1 [20000]"]);
});

test("§6.9.3 data sent before the peer can know our smaller window is accepted, and after its acknowledgement is not", () => {
  const server = new CoreUnderTest("server", { initialStreamWindowBytes: 1_000 });
  server.receive(frames.preface, frames.settings(), frames.headers(1).request("POST", "/"), frames.data(1, 5_000));
  assert.deepEqual(server.events().slice(2), ["data 1 [5000]"]);
  server.receive(frames.settingsAck(), frames.data(1, "").endStream());
  assert.deepEqual(server.events(), ['data 1 "" end'], "a negative window still passes an empty frame");
  server.receive(frames.headers(3).request("POST", "/"), frames.data(3, 1_001));
  assert.deepEqual(server.events().slice(1), ["reset 3 FLOW_CONTROL_ERROR library"]);
});

test("§6.9.3 a window that was lowered below what arrived opens again once that is consumed", () => {
  const server = new CoreUnderTest("server", { initialStreamWindowBytes: 1_000 });
  server.receive(frames.preface, frames.settings(), frames.headers(1).request("POST", "/"), frames.data(1, 5_000));
  server.receive(frames.settingsAck()).sent();
  server.http2.consume(server.stream(1), 5_000);
  assert.deepEqual(server.sent(), ["WINDOW_UPDATE 1 +5000"]);
  assert.equal(server.stream(1).receiveWindow.open, 1_000);
});

test("§6.9.3 octets consumed before the smaller window is in force come back when it is", () => {
  const server = new CoreUnderTest("server", { initialStreamWindowBytes: 1_000 });
  server.receive(frames.preface, frames.settings(), frames.headers(1).request("POST", "/"), frames.data(1, 5_000));
  server.http2.consume(server.stream(1), 5_000);
  server.sent();
  assert.deepEqual(server.receive(frames.settingsAck()).sent(), ["WINDOW_UPDATE 1 +5000"]);
  assert.equal(server.stream(1).receiveWindow.open, 1_000);
});

test("§6.5.3 a header table smaller than the default binds the peer only from its acknowledgement on", () => {
  const server = new CoreUnderTest("server", { headerTableBytes: 0 });
  // Literal with incremental indexing, name :path; then the entry it made, by index 62.
  const block = Buffer.concat([Buffer.of(0x83, 0x86, 0x44, 2), Buffer.from("/x")]);
  server.receive(frames.preface, frames.settings(), frames.headers(1).block(block).endStream());
  server.receive(
    frames
      .headers(3)
      .block(Buffer.of(0x83, 0x86, 0xbe))
      .endStream(),
  );
  assert.deepEqual(server.events().slice(1), [
    "headers 1 end :method=POST :scheme=http :path=/x",
    "headers 3 end :method=POST :scheme=http :path=/x",
  ]);
  server.receive(
    frames.settingsAck(),
    frames
      .headers(5)
      .block(Buffer.of(0x20, 0x83, 0x86, 0x84))
      .endStream(),
  );
  assert.deepEqual(server.events(), ["headers 5 end :method=POST :scheme=http :path=/"]);
  const stubborn = new CoreUnderTest("server", { headerTableBytes: 0 }).receive(frames.preface, frames.settings());
  stubborn.receive(frames.settingsAck(), frames.headers(1).block(Buffer.of(0x83, 0x86, 0x84)));
  assert.equal(stubborn.http2.fault?.cause, "header-compression");
});

test("§4.3 after the peer lowered its table size the next block begins with a size update, also a constant one", () => {
  const server = CoreUnderTest.ready("server").receive(frames.headers(1).request("GET", "/").endStream());
  server.receive(frames.settings([1, 0]));
  server.http2.sendHeaders(server.stream(1), Buffer.of(0x88), true);
  const octets = server.sentBytes();
  assert.equal(octets.subarray(-2).toString("hex"), "2088");
});
