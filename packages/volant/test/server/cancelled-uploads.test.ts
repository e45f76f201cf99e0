/**
 * A client that cancels an upload half-closes and resets it at once. Its handler must not take what came for all of it: what
 * counts here is what a handler commits, which it does when its requests have ended.
 */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import { Metadata as GrpcJsMetadata } from "@grpc/grpc-js";
import { type CallEnd, RpcError, type ServerCall, StatusCode } from "../../src/index.ts";
import { type ClockTask, FakeClock } from "../../src/testing/fake-clock.ts";
import { type FrameBuilder, frames } from "../../src/testing/frame-factory.ts";
import { eventually, useServer } from "../../src/testing/index.ts";
import { ErrorCode } from "../../src/transport/http2.ts";
import { realTime, replaceTime } from "../../src/transport/time.ts";
import { MemoryPeer } from "../attacks/memory-peer.ts";
import { turns } from "../attacks/virtual-time.ts";
import { localhost } from "../tls/support/tls-lab.ts";
import { grpcJsClient } from "./support/grpc-js.ts";
import { collect, type LabHandlers, withHandlers } from "./support/lab-service.ts";
import { prefixed, RawPeer, call as request } from "./support/raw-peer.ts";

const { CANCELLED, DEADLINE_EXCEEDED } = StatusCode;
const EMPTY = prefixed(Buffer.alloc(0));
/** What a socket is read with at first: a longer write comes in two reads. */
const FIRST_READ_BYTES = 16_384;

/** Handlers that gather what comes, and commit it when their requests have ended. */
class Imports {
  started = 0;
  /** Messages. */
  gathered = 0;
  committed = 0;
  /** One line for each iteration that failed: with what, and whether the signal had fired by then. */
  readonly failures: string[] = [];
  readonly ends: CallEnd[] = [];
  /** Waited for by each handler after its first message. */
  gate: Promise<unknown> | undefined = undefined;

  readonly handlers: Partial<LabHandlers> = {
    upload: (requests, call) => this.gather(requests, call),
    chat: (requests, call) => this.answer(requests, call),
  };

  get over(): number {
    return this.committed + this.failures.length;
  }

  private async *answer(requests: AsyncIterable<unknown>, call: ServerCall): AsyncGenerator<object> {
    yield await this.gather(requests, call);
  }

  private async gather(requests: AsyncIterable<unknown>, call: ServerCall): Promise<object> {
    this.started++;
    call.onEnd((end) => this.ends.push(end));
    try {
      for await (const _ of requests) {
        this.gathered++;
        if (this.gate !== undefined) await this.gate;
      }
    } catch (error) {
      assert.ok(error instanceof RpcError);
      this.failures.push(`${error.codeName} ${call.signal.aborted}`);
      throw error;
    }
    this.committed++;
    return {};
  }
}

const KINDS = ["Upload", "Chat"] as const;

function bytesOf(...parts: readonly FrameBuilder[]): Buffer {
  return Buffer.concat(parts.map((part) => part.bytes()));
}

/** The last message with END_STREAM, or END_STREAM alone, and the reset behind. */
const HALF_CLOSES: readonly (readonly [string, (id: number) => FrameBuilder])[] = [
  ["a message with END_STREAM", (id) => frames.data(id, EMPTY).endStream()],
  ["an empty DATA with END_STREAM", (id) => frames.data(id, "").endStream()],
  [
    "trailers",
    (id) =>
      frames
        .headers(id)
        .fields([["x-last", "1"]])
        .endStream(),
  ],
];

for (const kind of KINDS) {
  for (const [name, halfClose] of HALF_CLOSES) {
    test(`${kind}: ${name} and a reset in one read are a cancellation, at each split of the bytes`, async (t) => {
      const imports = new Imports();
      const lab = await useServer(t, withHandlers(imports.handlers), { over: "memory" });
      const peer = await MemoryPeer.ready(lab.server);
      const { length } = bytesOf(halfClose(1), frames.rstStream(1, ErrorCode.CANCEL));
      for (let split = 0; split <= length; split++) {
        const id = 1 + 2 * split;
        peer.send(request(id, kind), frames.data(id, EMPTY));
        await turns();
        const bytes = bytesOf(halfClose(id), frames.rstStream(id, ErrorCode.CANCEL));
        peer.send(bytes.subarray(0, split));
        peer.send(bytes.subarray(split));
        await eventually("the handler to come to an end", () => imports.over === split + 1);
        assert.deepEqual([imports.committed, imports.failures.at(-1)], [0, "CANCELLED true"], `split at ${split}`);
        assert.deepEqual([imports.ends[split]!.status.code, imports.ends[split]!.cancelledBy], [CANCELLED, "peer"]);
      }
    });
  }

  test(`${kind}: a half-close and a reset in two reads of a TCP socket are a cancellation, at each split`, async (t) => {
    const imports = new Imports();
    const lab = await useServer(t, withHandlers(imports.handlers));
    const { length } = bytesOf(frames.data(1, EMPTY).endStream(), frames.rstStream(1, ErrorCode.CANCEL));
    for (let split = 0; split <= length; split++) {
      const peer = await RawPeer.ready(lab);
      peer.send(request(1, kind));
      await eventually("the handler to run", () => imports.started === split + 1);
      const end = bytesOf(frames.data(1, EMPTY).endStream(), frames.rstStream(1, ErrorCode.CANCEL));
      // A message whose frame leaves `split` bytes of the end in the first read.
      const rest = FIRST_READ_BYTES - split - frames.data(1, prefixed(Buffer.alloc(0))).bytes().length - 4;
      const body = Buffer.concat([
        Buffer.of(0x1a, 0x80 | (rest & 0x7f), 0x80 | ((rest >> 7) & 0x7f), rest >> 14),
        Buffer.alloc(rest),
      ]);
      peer.send(frames.data(1, prefixed(body)), end);
      await eventually("the handler to come to an end", () => imports.over === split + 1);
      assert.deepEqual([imports.committed, imports.failures.at(-1)], [0, "CANCELLED true"], `split at ${split}`);
      peer.socket.destroy();
    }
  });

  test(`${kind}: a half-close and a reset in two TLS records are a cancellation, at each split`, async (t) => {
    const imports = new Imports();
    const lab = await useServer(t, withHandlers(imports.handlers));
    const { port } = await lab.server.listen({ port: 0, host: "127.0.0.1", tls: localhost });
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] });
    lab.defer(() => socket.destroy());
    socket.resume();
    socket.write(Buffer.concat([frames.preface, bytesOf(frames.settings(), frames.settingsAck())]));
    const { length } = bytesOf(frames.data(1, EMPTY).endStream(), frames.rstStream(1, ErrorCode.CANCEL));
    for (let split = 1; split < length; split++) {
      const id = 2 * split - 1;
      socket.write(bytesOf(request(id, kind), frames.data(id, EMPTY)));
      await eventually("the handler to run", () => imports.started === split);
      const end = bytesOf(frames.data(id, EMPTY).endStream(), frames.rstStream(id, ErrorCode.CANCEL));
      socket.write(end.subarray(0, split));
      socket.write(end.subarray(split));
      await eventually("the handler to come to an end", () => imports.over === split);
      assert.deepEqual([imports.committed, imports.failures.at(-1)], [0, "CANCELLED true"], `split at ${split}`);
    }
  });

  test(`${kind}: a half-close with the end of the connection behind it is a cancellation`, async (t) => {
    const imports = new Imports();
    const lab = await useServer(t, withHandlers(imports.handlers));
    for (const [at, goAway] of [[], [frames.goAway(0, ErrorCode.NO_ERROR)]].entries()) {
      const peer = await RawPeer.ready(lab);
      peer.send(request(1, kind), frames.data(1, EMPTY));
      await eventually("the handler to run", () => imports.started === at + 1);
      peer.socket.end(bytesOf(frames.data(1, EMPTY).endStream(), ...goAway));
      await eventually("the handler to come to an end", () => imports.over === at + 1);
      assert.deepEqual([imports.committed, imports.failures.at(-1)], [0, "CANCELLED true"]);
      assert.equal(imports.ends[at]!.cancelledBy, "connection");
    }
  });

  test(`${kind}: a half-close with a GOAWAY behind it is complete: a client that goes away finishes what it began`, async (t) => {
    const imports = new Imports();
    const lab = await useServer(t, withHandlers(imports.handlers));
    const peer = await RawPeer.ready(lab);
    peer.send(request(1, kind), frames.data(1, EMPTY).endStream(), frames.goAway(0, ErrorCode.NO_ERROR));
    assert.match((await peer.answer(1)).at(-1)!, /grpc-status=0/);
    assert.equal(imports.committed, 1);
  });

  test(`${kind}: a half-close with resets of other calls around it is complete`, async (t) => {
    const imports = new Imports();
    const lab = await useServer(t, withHandlers(imports.handlers));
    const peer = await RawPeer.ready(lab);
    peer.send(request(1, kind), request(3, kind), request(5, kind));
    await eventually("the handlers to run", () => imports.started === 3);
    peer.send(
      frames.rstStream(1, ErrorCode.CANCEL),
      frames.data(3, EMPTY).endStream(),
      frames.rstStream(5, ErrorCode.CANCEL),
    );
    assert.match((await peer.answer(3)).at(-1)!, /grpc-status=0/);
    await eventually("all to come to an end", () => imports.over === 3);
    assert.deepEqual([imports.committed, imports.failures], [1, ["CANCELLED true", "CANCELLED true"]]);
  });

  test(`${kind}: messages that wait for a slow handler are dropped by a reset, however long ago they were complete`, async (t) => {
    const imports = new Imports();
    const gate = Promise.withResolvers<void>();
    imports.gate = gate.promise;
    const lab = await useServer(t, withHandlers(imports.handlers), { over: "memory" });
    const peer = await MemoryPeer.ready(lab.server);
    peer.send(request(1, kind), frames.data(1, Buffer.concat([EMPTY, EMPTY, EMPTY])).endStream());
    await turns();
    peer.send(frames.rstStream(1, ErrorCode.CANCEL));
    await turns();
    gate.resolve();
    await eventually("the handler to come to an end", () => imports.over === 1);
    assert.deepEqual([imports.committed, imports.failures], [0, ["CANCELLED true"]]);
  });

  test(`${kind}: messages that wait for a slow handler are dropped by the deadline, although they are complete`, async (t) => {
    const imports = new Imports();
    const gate = Promise.withResolvers<void>();
    imports.gate = gate.promise;
    const lab = await useServer(t, withHandlers(imports.handlers), { over: "memory" });
    const peer = await MemoryPeer.ready(lab.server);
    peer.send(request(1, kind, [["grpc-timeout", "20m"]]), frames.data(1, Buffer.concat([EMPTY, EMPTY])).endStream());
    await eventually("the deadline", () => imports.ends.length === 1);
    gate.resolve();
    await eventually("the handler to come to an end", () => imports.over === 1);
    assert.deepEqual([imports.committed, imports.failures], [0, ["DEADLINE_EXCEEDED true"]]);
    assert.equal(imports.ends[0]!.status.code, DEADLINE_EXCEEDED);
  });
}

/** The library's timers come when the test moves this clock. */
function holdTimers(t: TestContext): FakeClock {
  const clock = new FakeClock();
  const real = replaceTime({
    ...realTime,
    setTimeout: (run, delayMs) => clock.schedule(clock.nowMs + delayMs, run) as unknown as NodeJS.Timeout,
    clearTimeout: (timer) => clock.cancel(timer as unknown as ClockTask),
  });
  t.after(() => replaceTime(real));
  return clock;
}

const NODE_AGENTS = ["grpc-node-js/1.14.4", "shop/2.1 grpc-node-js/1.8.0 more", "connect-es/2.1.1 (linux; node 24)"];
const OTHER_AGENTS = ["grpc-go/1.70.0", "volant/1.0.0", "xgrpc-node-jsx/1", ""];

test("a client on node:http2 resets an upload in a later read than its half-close: still a cancellation", async (t) => {
  const imports = new Imports();
  const lab = await useServer(t, withHandlers(imports.handlers), { over: "memory" });
  const time = holdTimers(t);
  const peer = await MemoryPeer.ready(lab.server);
  for (const [at, agent] of NODE_AGENTS.entries()) {
    const id = 1 + 2 * at;
    peer.send(request(id, "Upload", [["user-agent", agent]]), frames.data(id, EMPTY).endStream());
    await turns();
    assert.deepEqual([imports.started, imports.over], [at + 1, at], agent);
    peer.send(frames.rstStream(id, ErrorCode.CANCEL));
    await turns();
    assert.deepEqual([imports.committed, imports.failures.at(-1)], [0, "CANCELLED true"], agent);
  }
  time.advance(1_000);
  await turns();
  assert.equal(imports.over, NODE_AGENTS.length);
});

for (const [cancelGraceMs, held] of [
  [40, NODE_AGENTS.length],
  [0, 0],
] as const) {
  test(`with a cancelGraceMs of ${cancelGraceMs}, ${held} of the clients on node:http2 are answered later than others`, async (t) => {
    const imports = new Imports();
    const lab = await useServer(t, withHandlers(imports.handlers), { over: "memory", server: { cancelGraceMs } });
    const time = holdTimers(t);
    const peer = await MemoryPeer.ready(lab.server);
    for (const [at, agent] of [...OTHER_AGENTS, ...NODE_AGENTS].entries()) {
      const id = 1 + 2 * at;
      peer.send(request(id, "Upload", [["user-agent", agent]]), frames.data(id, EMPTY).endStream());
    }
    await turns();
    assert.equal(imports.committed, imports.started - held);
    time.advance(39);
    await turns();
    assert.equal(imports.committed, imports.started - held);
    time.advance(1);
    await turns();
    assert.deepEqual([imports.committed, imports.failures], [OTHER_AGENTS.length + NODE_AGENTS.length, []]);
  });
}

test("grpc-js cancels uploads of which everything arrived: none of their handlers commits", async (t) => {
  const imports = new Imports();
  const lab = await useServer(t, withHandlers(imports.handlers));
  const client = grpcJsClient(lab);
  for (let calls = 1; calls <= 50; calls++) {
    const code = await new Promise<number | undefined>((resolve) => {
      const call = client.upload(new GrpcJsMetadata(), {}, (error) => resolve(error?.code));
      for (let row = 0; row < 50; row++) call.write({ number: row });
      void eventually("all rows to arrive", () => imports.gathered === 50 * calls).then(() => call.cancel());
    });
    assert.equal(code, CANCELLED);
    await eventually("the handler to come to an end", () => imports.over === calls);
  }
  assert.deepEqual([imports.committed, new Set(imports.failures)], [0, new Set(["CANCELLED true"])]);
});

test("grpc-js ends uploads: all of their handlers commit", async (t) => {
  const imports = new Imports();
  const lab = await useServer(t, withHandlers(imports.handlers));
  const client = grpcJsClient(lab);
  for (let at = 0; at < 20; at++) {
    await new Promise<void>((resolve, reject) => {
      const call = client.upload(new GrpcJsMetadata(), {}, (error) => (error === null ? resolve() : reject(error)));
      for (let row = 0; row < 50; row++) call.write({ number: row });
      call.end();
    });
  }
  assert.deepEqual([imports.committed, imports.failures], [20, []]);
  const chat = client.chat();
  chat.end();
  await collect(chat);
  assert.equal(imports.committed, 21);
});

test("a unary handler whose call is reset in the same read sees its signal fired when it comes back from any wait", async (t) => {
  const seen: boolean[] = [];
  const lab = await useServer(
    t,
    withHandlers({
      async unary(_note, call) {
        await undefined;
        seen.push(call.signal.aborted);
        return {};
      },
    }),
  );
  const peer = await RawPeer.ready(lab);
  peer.send(request(1, "Unary"), frames.data(1, EMPTY).endStream(), frames.rstStream(1, ErrorCode.CANCEL));
  await eventually("the handler to come back", () => seen.length === 1);
  assert.deepEqual(seen, [true]);
});
