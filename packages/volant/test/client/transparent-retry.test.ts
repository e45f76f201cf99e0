/** Calls that the server did not process are repeated without a policy: gRFC A6 "Transparent Retries", RFC 9113 §8.7. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { Channel, createClient, StatusCode } from "volant";
import type { Connector } from "../../src/client/connector.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { SocketWire } from "../../src/transport/socket-wire.ts";
import type { Wire, WireSink } from "../../src/transport/wire.ts";
import { EchoService, messageBytes } from "./support/echo-service.ts";
import { allOf, failure, withPeer, withServer } from "./support/harness.ts";
import { headersSeen, refuse, withRetries } from "./support/retrying.ts";
import type { PeerConnection } from "./support/scripted-peer.ts";

const REFUSED_STREAM = 7;

const REFUSALS: Record<string, (connection: PeerConnection) => void> = {
  REFUSED_STREAM: (connection) => connection.write(frames.rstStream(1, REFUSED_STREAM)),
  "GOAWAY with a lower last id": (connection) => connection.write(frames.goAway(0, 0)),
};

for (const [name, refuseFirst] of Object.entries(REFUSALS)) {
  test(`gRPC detail 37: ${name}: all four kinds are repeated with everything they had sent`, async (t) => {
    for (const kind of ["unary", "download", "upload", "chat"] as const) {
      const { peer, client } = await withPeer(t);
      const message = { value: "first" };
      const writer = kind === "upload" || kind === "chat" ? client[kind]() : undefined;
      const outcome = writer ?? (kind === "unary" ? client.unary(message) : client.download(message));
      const result = kind === "chat" || kind === "download" ? allOf(outcome as never) : (async () => outcome)();
      void writer?.send(message);
      const first = await peer.accept();
      await first.handshake();
      await first.sees(/^DATA 1/);
      if (writer !== undefined) message.value = "changed after it was sent";
      refuseFirst(first);
      const isSame = name === "REFUSED_STREAM";
      const next = isSame ? first : await peer.accept();
      if (!isSame) await next.handshake();
      const id = isSame ? 3 : 1;
      assert.doesNotMatch((await next.sees(new RegExp(`^HEADERS ${id}`))).text, /previous-rpc-attempts/);
      assert.deepEqual((await next.sees(new RegExp(`^DATA ${id}`))).payload, messageBytes("first"));
      if (writer !== undefined) {
        await writer.send({ value: "second" });
        writer.end();
        assert.deepEqual((await next.sees(new RegExp(`^DATA ${id}`))).payload, messageBytes("second"));
        await next.sees(new RegExp(`^DATA ${id} \\[0\\] end`));
      }
      next.answer(id, "answer");
      const answer = (await result) as { value: string } | { value: string }[];
      assert.equal((Array.isArray(answer) ? answer[0]! : answer).value, "answer");
    }
  });
}

test("gRPC detail 37: a transparent retry counts neither as an attempt nor against the throttle", async (t) => {
  const throttling = { maxTokens: 3, tokenRatio: 1 };
  const { peer, client } = await withRetries(t, { maxAttempts: 2, throttling });
  const call = client.unary({ value: "a" });
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA 1 .*end/);
  connection.write(frames.rstStream(1, REFUSED_STREAM));
  await connection.sees(/^DATA 3 .*end/);
  refuse(connection, 3);
  await connection.sees(/^DATA 5 .*end/);
  connection.answer(5, "pong");
  assert.equal((await call).value, "pong");
  const [first, second, third] = headersSeen(connection);
  for (const early of [first!, second!]) assert.doesNotMatch(early, /previous/);
  assert.match(third!, /grpc-previous-rpc-attempts=1/);
});

/** A transport that keeps what is written and delivers what a test says. */
class HeldWire implements Wire {
  readonly peer = { address: "held" };
  readonly written: Buffer[] = [];
  readonly unsentBytes = 0;
  readonly receivedBytes = 0;
  readonly inputMark = 0;
  private readonly sink: WireSink;

  constructor(sink: WireSink) {
    this.sink = sink;
  }

  isHandled(): boolean {
    return true;
  }

  write(bytes: Buffer): boolean {
    this.written.push(Buffer.from(bytes));
    return true;
  }

  deliver(...parts: { bytes(): Buffer }[]): void {
    this.sink.onChunk(Buffer.concat(parts.map((part) => part.bytes())));
  }

  lose(): void {
    this.sink.onClosed(undefined);
  }

  pause(): void {}
  resume(): void {}
  end(): void {
    this.lose();
  }
  destroy(): void {
    this.lose();
  }
  ref(): void {}
  unref(): void {}
}

/** The first `count` connections are held by the test, those after them reach the server at `port`. */
function holdFirst(count: number, port: number): { connector: Connector; held: HeldWire[] } {
  const held: HeldWire[] = [];
  const connector: Connector = (_endpoint, events) => {
    if (held.length < count) {
      events.onConnected((sink) => {
        const wire = new HeldWire(sink);
        held.push(wire);
        return wire;
      });
      return () => undefined;
    }
    const socket = connect({ port, host: "127.0.0.1" });
    void once(socket, "connect").then(() => events.onConnected((sink) => new SocketWire(socket, sink)));
    return () => socket.destroy();
  };
  return { connector, held };
}

test("gRPC detail 37: a call whose frames never left is repeated, also twice, whatever its method", async (t) => {
  const { port } = await withServer(t);
  const { connector, held } = holdFirst(2, port!);
  await using channel = new Channel("test:1", { backoff: { initialMs: 1, maxMs: 1 } }, connector);
  const client = createClient(EchoService, channel);
  const connecting = channel.connect();
  held[0]!.deliver(frames.settings(), frames.settingsAck());
  await connecting;
  const call = client.unary({ value: "a" }, { waitForReady: true });
  const stream = client.upload([{ value: "b" }], { waitForReady: true });
  // In the turn in which they began: nothing of them was written.
  held[0]!.lose();
  held[1]!.deliver(frames.settings(), frames.settingsAck());
  // Calls start when the event under way is over.
  await null;
  assert.equal(channel.pendingCount, 0);
  held[1]!.lose();
  assert.equal((await call).value, "a");
  assert.equal((await stream).value, "b");
});

test("a call whose frames have left may have been processed: it is UNAVAILABLE when the connection is lost", async (t) => {
  const { port } = await withServer(t);
  const { connector, held } = holdFirst(1, port!);
  await using channel = new Channel("test:1", {}, connector);
  const connecting = channel.connect();
  held[0]!.deliver(frames.settings(), frames.settingsAck());
  await connecting;
  const call = createClient(EchoService, channel).unary({ value: "a" }, { waitForReady: true });
  call.catch(() => undefined);
  const before = held[0]!.written.length;
  while (held[0]!.written.length === before) await new Promise((resolve) => setImmediate(resolve));
  held[0]!.lose();
  await failure(call, StatusCode.UNAVAILABLE);
});
