import assert from "node:assert/strict";
import { test } from "node:test";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

test("§3.4 a client sends the preface, SETTINGS and its connection window before it hears anything", () => {
  const client = new CoreUnderTest("client");
  const octets = client.sentBytes();
  assert.deepEqual(octets.subarray(0, 24), frames.preface);
  assert.equal(octets[24 + 3], 4, "the first frame is SETTINGS");
  assert.equal(client.http2.isReady, false);
});

test("§3.4 a server says nothing until the preface is complete, then SETTINGS come first", () => {
  const server = new CoreUnderTest("server");
  assert.deepEqual(server.receive(frames.preface.subarray(0, 23)).sent(), []);
  const [first, second, ...rest] = server.receive(frames.preface.subarray(23)).sent();
  assert.equal(first, "SETTINGS 1=4096 4=65535 5=16384 6=16384 9=1 3=100");
  assert.equal(second, `WINDOW_UPDATE +${1_048_576 - 65_535}`);
  assert.deepEqual(rest, []);
});

test("§6.9.2 the default connection window is not announced again", () => {
  const server = new CoreUnderTest("server", { connectionWindowBytes: 65_535 });
  assert.equal(server.receive(frames.preface).sent().length, 1);
});

for (const [name, frame] of [
  ["a WINDOW_UPDATE", frames.windowUpdate(0, 1)],
  ["an acknowledgement", frames.settingsAck()],
  ["a frame of unknown type", frames.raw(0x42, 0, 0)],
  ["HEADERS", frames.headers(1).request("GET", "/")],
] as const) {
  test(`§3.4 ${name} before SETTINGS is a connection error`, () => {
    const server = new CoreUnderTest("server").receive(frames.preface, frame);
    assert.deepEqual(server.events(), ["closed PROTOCOL_ERROR first-frame-is-not-settings library"]);
    assert.equal(server.sent().at(-1), 'GOAWAY last=0 PROTOCOL_ERROR "first-frame-is-not-settings"');
  });
}

test("§3.4 what is neither the preface nor HTTP/1.1 ends the connection without an answer it could not read", () => {
  for (const octets of [Buffer.of(0x16, 0x03, 0x01, 0x02), Buffer.from("PRI * HTTP/2.0\r\n\r\nXX"), Buffer.alloc(64)]) {
    const server = new CoreUnderTest("server").receive(octets);
    assert.deepEqual(server.events(), ["closed PROTOCOL_ERROR bad-preface library"]);
    assert.deepEqual(server.sent(), []);
    assert.equal(server.http2.isClosed, true);
  }
});

for (const line of [
  "GET / HTTP/1.1",
  "POST /s/m HTTP/1.1",
  "PUT / HTTP/1.1",
  "PATCH / HTTP/1.1",
  "OPTIONS * HTTP/1.0",
]) {
  test(`an HTTP/1.1 request is answered in HTTP/1.1, however it is cut: ${line}`, () => {
    const octets = Buffer.from(`${line}\r\nHost: a\r\n\r\n`);
    for (const chunkBytes of [1, 2, 3, 4, octets.length]) {
      const server = new CoreUnderTest("server");
      for (let at = 0; at < octets.length; at += chunkBytes) server.receive(octets.subarray(at, at + chunkBytes));
      const answer = server.sentBytes().toString("latin1");
      assert.match(answer, /^HTTP\/1\.1 426 Upgrade Required\r\nUpgrade: h2c\r\n/);
      assert.equal(Number(/Content-Length: (\d+)/.exec(answer)?.[1]), answer.split("\r\n\r\n")[1]?.length);
      assert.deepEqual(server.events(), ["closed HTTP_1_1_REQUIRED http1-request library"]);
    }
  });
}

test("a server that answers in HTTP/1.1 is named as that", () => {
  const client = new CoreUnderTest("client").receive(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
  assert.deepEqual(client.events(), ["closed HTTP_1_1_REQUIRED http1-answer library"]);
});

test("a server that answers with a TLS alert is named as that, however it is cut, and only before its SETTINGS", () => {
  const alert = Buffer.from("15030100020246", "hex");
  for (const chunkBytes of [1, 2, 3, alert.length]) {
    const client = new CoreUnderTest("client");
    for (let at = 0; at < alert.length; at += chunkBytes) client.receive(alert.subarray(at, at + chunkBytes));
    client.http2.handleTransportClosed();
    assert.deepEqual(client.events(), ["closed PROTOCOL_ERROR tls-answer library"]);
  }
  const later = new CoreUnderTest("client").receive(frames.settings().bytes()).receive(alert);
  later.events();
  later.http2.handleTransportClosed();
  assert.deepEqual(later.events(), ["closed NO_ERROR transport-closed remote"]);
});

test("§3.4 a peer that never completes its preface and SETTINGS is given up after handshakeTimeoutMs", () => {
  const silent = new CoreUnderTest("server", { handshakeTimeoutMs: 500 });
  assert.deepEqual(silent.advance(499).events(), []);
  assert.deepEqual(silent.advance(1).events(), ["closed PROTOCOL_ERROR handshake-timeout library"]);
  assert.deepEqual(silent.sent(), [], "§3.4: SETTINGS were not sent, so GOAWAY cannot be");

  const client = new CoreUnderTest("client", { handshakeTimeoutMs: 500 }).advance(500);
  assert.deepEqual(client.events(), ["closed PROTOCOL_ERROR handshake-timeout library"]);
  assert.equal(client.sent().at(-1), 'GOAWAY last=0 PROTOCOL_ERROR "handshake-timeout"');

  const slow = new CoreUnderTest("server", { handshakeTimeoutMs: 500 }).advance(499);
  slow.receive(frames.preface, frames.settings()).advance(400);
  assert.deepEqual(slow.events(), ["settings"], "a handshake just in time is not hurt");
});

test("§3.4 a server closed or drained before the preface sends nothing in front of its SETTINGS", () => {
  const closed = new CoreUnderTest("server");
  closed.http2.close();
  assert.deepEqual(closed.sent(), []);

  const drained = new CoreUnderTest("server");
  drained.http2.beginDrain(drained.clock.nowMs);
  drained.http2.sendPing(1);
  assert.deepEqual(drained.sent(), []);
  const sent = drained.receive(frames.preface).sent();
  assert.match(sent[0] ?? "", /^SETTINGS /);
  assert.deepEqual(sent.slice(2), ['GOAWAY last=2147483647 NO_ERROR "draining"', "PING 00000000ffffffff"]);
});
