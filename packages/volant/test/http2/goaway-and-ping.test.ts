import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionPair, CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

const request = (id: number) => frames.headers(id).request("POST", "/");

test("§6.7 a PING is answered with its own octets", () => {
  const server = CoreUnderTest.ready("server").receive(frames.ping(Buffer.from("00ff80010203feff", "hex")));
  assert.deepEqual(server.sent(), ["PING 00ff80010203feff ack"]);
  const client = CoreUnderTest.ready("client").receive(frames.ping("abcdefgh"));
  assert.deepEqual(client.sent(), ["PING 6162636465666768 ack"]);
});

test("§6.7 the answer to our PING names it; what is not ours is not reported, and never answered", () => {
  const client = CoreUnderTest.ready("client");
  client.http2.sendPing(0x7fff_ffff);
  assert.deepEqual(client.sent(), ["PING 000000007fffffff"]);
  client.receive(frames.pingAck(0x7fff_ffff), frames.ping("strange!").flag(1));
  assert.deepEqual([client.events(), client.sent()], [["ping-ack 2147483647"], []]);
});

test("§6.8 GOAWAY ends the streams above its last id as refused; the others go on, and no new one opens", () => {
  const client = CoreUnderTest.ready("client");
  for (let count = 0; count < 3; count++) client.http2.sendHeaders(client.http2.openStream(), [], false);
  const canOpen: boolean[] = [];
  client.sink.react.onReset = () => void canOpen.push(client.http2.canOpenStream);
  client.receive(frames.goAway(3, 0, "bye"), frames.headers(1).response(200).endStream());
  assert.deepEqual(client.events(), [
    "reset 5 REFUSED_STREAM remote",
    'goaway last=3 NO_ERROR "bye"',
    "headers 1 end :status=200",
  ]);
  assert.deepEqual([...canOpen, client.http2.canOpenStream], [false, false]);
  assert.equal(client.http2.streamCount, 2);
});

test("§6.8 a stream that has not begun may not begin after GOAWAY, whatever its last id", () => {
  const client = CoreUnderTest.ready("client");
  client.http2.openStream();
  client.receive(frames.goAway(0x7fff_ffff, 0));
  assert.deepEqual(client.events(), ["reset 1 REFUSED_STREAM remote", 'goaway last=2147483647 NO_ERROR ""']);
});

test("§6.8 a second GOAWAY with a lower last id ends more streams", () => {
  const client = CoreUnderTest.ready("client");
  for (let count = 0; count < 2; count++) client.http2.sendHeaders(client.http2.openStream(), [], false);
  client.receive(frames.goAway(0x7fff_ffff, 0), frames.goAway(1, 0));
  assert.deepEqual(client.events().slice(1), ["reset 3 REFUSED_STREAM remote", 'goaway last=1 NO_ERROR ""']);
});

test("§6.8 streams that the layer above ends while GOAWAY is handled are reported once", () => {
  const client = CoreUnderTest.ready("client");
  const streams = [1, 3, 5].map(() => client.http2.openStream());
  for (const stream of streams) client.http2.sendHeaders(stream, [], false);
  client.sink.react.onReset = () => {
    for (const stream of streams) client.http2.resetStream(stream, 8);
  };
  client.receive(frames.goAway(0, 0));
  assert.deepEqual(client.events(), ["reset 1 REFUSED_STREAM remote", 'goaway last=0 NO_ERROR ""']);
  assert.equal(client.http2.streamCount, 0);
});

test("§6.8 a server goes on serving what a client's GOAWAY left open", () => {
  const server = CoreUnderTest.ready("server").receive(
    request(1),
    frames.goAway(0, 0),
    frames.data(1, "x").endStream(),
  );
  assert.deepEqual(server.events().slice(1), ['goaway last=0 NO_ERROR ""', 'data 1 "x" end']);
  server.http2.sendHeaders(server.stream(1), [], true);
  assert.equal(server.http2.streamCount, 0);
});

test("§6.8 a drain announces itself, waits for the PING, then names the last stream it took", () => {
  const server = CoreUnderTest.ready("server").receive(request(1));
  server.http2.beginDrain(server.clock.nowMs);
  server.http2.beginDrain(server.clock.nowMs);
  assert.deepEqual(server.sent(), ['GOAWAY last=2147483647 NO_ERROR "draining"', "PING 00000000ffffffff"]);
  server.receive(request(3).endStream(), frames.pingAck(0xffff_ffff));
  assert.deepEqual(server.sent(), ['GOAWAY last=3 NO_ERROR "draining"']);
  assert.equal(server.http2.isDrainFinal, true);
  assert.deepEqual(
    server.events().map((line) => line.split(" :")[0]),
    ["headers 1", "headers 3 end"],
  );
});

test("§6.8 a drain goes on without the PING after drainPingTimeoutMs", () => {
  const server = CoreUnderTest.ready("server", { drainPingTimeoutMs: 70 });
  server.http2.beginDrain(server.clock.nowMs);
  server.sent();
  assert.deepEqual(server.advance(69).sent(), []);
  assert.deepEqual(server.advance(1).sent(), ['GOAWAY last=0 NO_ERROR "draining"']);
  assert.deepEqual(server.receive(frames.pingAck(0xffff_ffff)).sent(), []);
});

test("§6.8 streams after the final GOAWAY are ignored, with everything on them, but decoded and credited", () => {
  const server = CoreUnderTest.ready("server", { drainPingTimeoutMs: 1, connectionWindowBytes: 65_535 }).receive(
    request(1),
  );
  server.http2.beginDrain(server.clock.nowMs);
  server.advance(1).sent();
  server.events();
  // Inserts "a: b" into the table on the ignored stream, then refers to it from a trailer of stream 1.
  const insert = Buffer.concat([
    Buffer.of(0x83, 0x86, 0x84, 0x40, 1),
    Buffer.from("a"),
    Buffer.of(1),
    Buffer.from("b"),
  ]);
  for (let id = 3; id < 1_500; id += 2) {
    server.receive(
      id === 3 ? frames.headers(id).block(insert) : request(id),
      frames.windowUpdate(id, 1),
      frames.data(id, 100),
    );
    server.receive(
      frames
        .headers(id)
        .fields([["t", "r"]])
        .endStream(),
      frames.rstStream(id, 8),
    );
  }
  server.receive(frames.headers(1).block(Buffer.of(0xbe)).endStream());
  assert.deepEqual(server.events(), ["trailers 1 a=b"]);
  const sent = server.sent();
  assert.ok(sent.length > 0 && sent.every((line) => /^WINDOW_UPDATE \+\d+$/.test(line)), sent.join());
  server.receive(frames.data(0, "a"));
  assert.deepEqual(server.sent(), ['GOAWAY last=1 PROTOCOL_ERROR "data-on-stream-0"'], "the last id never grows");
});

test("§6.8 nobody loses a call to a drain: client and server agree on what was taken, at any moment", () => {
  for (let delay = 0; delay < 12; delay++) {
    const pair = ConnectionPair.ready({ latencyMs: 2 });
    const taken = new Set<number>();
    pair.server.sink.react.onHeaders = (stream) => {
      taken.add(stream.id);
      pair.server.http2.sendHeaders(stream, [{ name: ":status", value: "200", indexing: 1 }], true);
    };
    const answered = new Set<number>();
    const refused = new Set<number>();
    pair.client.sink.react.onHeaders = (stream) => void answered.add(stream.id);
    pair.client.sink.react.onReset = (stream) => void refused.add(stream.id);
    for (let turn = 0; turn < 20; turn++) {
      if (turn === delay) pair.server.http2.beginDrain(pair.clock.nowMs);
      if (pair.client.http2.canOpenStream) {
        const fields = [":method", ":scheme", ":path"].map((name) => ({ name, value: "x", indexing: 1 as const }));
        pair.client.http2.sendHeaders(pair.client.http2.openStream(), fields, true);
      }
      pair.step();
    }
    pair.drive();
    assert.deepEqual(answered, taken);
    assert.equal(refused.size, 0, "the first GOAWAY stops the client before the second one comes");
    assert.equal(pair.server.http2.isDrainFinal, true);
    assert.equal(pair.client.http2.streamCount + pair.server.http2.streamCount, 0);
  }
});

test("§5.4.1 close names the fault to the peer, once, and streams that were open get no further call", () => {
  const server = CoreUnderTest.ready("server").receive(request(1), request(3));
  server.events();
  server.http2.close({ scope: "connection", code: 0xb, initiator: "library", cause: "too_many_pings" });
  server.http2.close();
  assert.deepEqual(server.events(), ["closed ENHANCE_YOUR_CALM too_many_pings library"]);
  assert.deepEqual(server.sent(), ['GOAWAY last=3 ENHANCE_YOUR_CALM "too_many_pings"']);
  assert.equal([...server.http2.streams()].length, 2, "they are still listed, for whoever must end their calls");
});

test("§5.4.1 the transport's end closes without a word", () => {
  const client = CoreUnderTest.ready("client");
  client.http2.sendPing(1);
  client.http2.handleTransportClosed();
  client.http2.handleTransportClosed();
  assert.deepEqual([client.events(), client.sent()], [["closed NO_ERROR transport-closed remote"], []]);
});

test("a sink that closes the connection inside any call hears nothing after it", () => {
  for (const call of [
    "onHeaders",
    "onData",
    "onTrailers",
    "onReset",
    "onSettings",
    "onPingAck",
    "onGoAway",
    "onWritable",
  ] as const) {
    const server = CoreUnderTest.ready("server", { streamHighWaterBytes: 1 }, [4, 0]);
    server.receive(frames.headers(1).request("POST", "/"), request(3), request(5));
    for (const id of [3, 5]) {
      server.http2.sendHeaders(server.stream(id), [], false);
      server.http2.sendData(server.stream(id), Buffer.alloc(9), false);
    }
    server.events();
    server.sink.react[call] = () => server.http2.close();
    server.receive(
      ...[frames.settings([4, 100]), request(7), frames.data(1, "a"), frames.headers(1).fields([]).endStream()],
      ...[frames.rstStream(3, 8), frames.pingAck(1), frames.goAway(0, 0), frames.ping()],
    );
    const events = server.events();
    assert.equal(events.at(-1), "closed NO_ERROR closed user", call);
    assert.equal(events.filter((line) => line.startsWith("closed")).length, 1);
    assert.equal(server.sent().at(-1)?.startsWith("GOAWAY"), true);
  }
});
