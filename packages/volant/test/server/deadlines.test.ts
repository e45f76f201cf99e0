/** gRPC PROTOCOL-HTTP2 "Timeout": deadlines as the server keeps them, whatever the handler does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Metadata as GrpcJsMetadata } from "@grpc/grpc-js";
import { type CallEnd, type ServerCall, StatusCode } from "../../src/index.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually, useFakeClock, useServer } from "../../src/testing/index.ts";
import { timerWheel } from "../../src/transport/timer-wheel.ts";
import { Lab } from "../gen/lab_pb.ts";
import { grpcJsClient } from "./support/grpc-js.ts";
import { collect, failureOf, withHandlers } from "./support/lab-service.ts";
import { prefixed, RawPeer, call as request } from "./support/raw-peer.ts";

const { DEADLINE_EXCEEDED } = StatusCode;

/** Settles when the call it was given is cancelled. */
function cancelled(call: ServerCall): Promise<never> {
  return new Promise((_resolve, reject) => {
    call.signal.addEventListener("abort", () => reject(call.signal.reason), { once: true });
  });
}

test("gRPC detail 8: a handler that never settles is answered for by its deadline, and its signal fires", async (t) => {
  const clock = useFakeClock(t);
  const ends: CallEnd[] = [];
  const log: string[] = [];
  const lab = await useServer(
    t,
    withHandlers({
      unary(_request, call) {
        call.onEnd((end) => ends.push(end));
        return cancelled(call).catch((error: Error) => {
          log.push(error.name);
          throw error;
        });
      },
    }),
  );
  // No deadline on the client's side: what comes is the server's own answer.
  const peer = await RawPeer.ready(lab);
  peer.send(request(1, "Unary", [["grpc-timeout", "50m"]]).endStream());
  const unfinished = await peer.answer(1);
  assert.match(unfinished[0]!, /grpc-status=12/, "a request without a message is refused before its deadline");
  peer.send(request(3, "Unary", [["grpc-timeout", "500m"]]));
  peer.send(frames.data(3, prefixed(Buffer.alloc(0))).endStream());
  await eventually("the handler to run", () => lab.server.handlerCount === 1);
  await clock.advance(500);
  const [answer] = await peer.answer(3);
  assert.match(answer!, /grpc-status=4 grpc-message=the deadline of the call has passed/);
  await eventually("the handler to finish", () => lab.server.handlerCount === 0);
  assert.deepEqual(log, ["AbortError"]);
  assert.deepEqual(
    ends.map(({ status, cancelledBy }) => [status.code, cancelledBy]),
    [[DEADLINE_EXCEEDED, "deadline"]],
  );
});

test("gRPC detail 8: grpc-js's deadline fires the signal of every kind", async (t) => {
  const clock = useFakeClock(t);
  const aborted: string[] = [];
  const wait = async (call: ServerCall): Promise<never> => {
    await cancelled(call).catch(() => aborted.push(call.method.name));
    throw call.signal.reason;
  };
  const lab = await useServer(
    t,
    withHandlers({
      unary: (_request, call) => wait(call),
      async *download(_request, call) {
        yield { text: "1" };
        yield await wait(call);
      },
      upload: (_requests, call) => wait(call),
      async *chat(_requests, call) {
        yield await wait(call);
      },
    }),
  );
  const client = grpcJsClient(lab);
  const none = new GrpcJsMetadata();
  await new Promise<void>((resolve, reject) =>
    client.waitForReady(Date.now() + 20_000, (error) => (error === undefined ? resolve() : reject(error))),
  );
  const options = { deadline: Date.now() + 1_000 };
  const codes = Promise.all([
    new Promise((resolve) => client.unary({}, none, options, (error) => resolve(error?.code))),
    new Promise((resolve) => client.upload(none, options, (error) => resolve(error?.code))),
    collect(client.download({}, none, options)).catch(({ code }) => code),
    collect(client.chat(none, options)).catch(({ code }) => code),
  ]);
  await eventually("every handler to run", () => lab.server.handlerCount === 4);
  await clock.advance(1_000);
  assert.deepEqual(await codes, Array(4).fill(DEADLINE_EXCEEDED));
  await eventually("every handler to hear of it", () => aborted.length === 4);
});

test("a deadline ends a stream whose reader does not read, with a reset", async (t) => {
  const clock = useFakeClock(t);
  const lab = await useServer(
    t,
    withHandlers({
      *download() {
        for (;;) yield { body: new Uint8Array(10_000) };
      },
    }),
  );
  const peer = await RawPeer.ready(lab, 1_000);
  peer.send(request(1, "Download", [["grpc-timeout", "1S"]]), frames.data(1, prefixed(Buffer.alloc(0))).endStream());
  await peer.line(/^HEADERS 1/);
  await clock.advance(1_000);
  const answer = await peer.answer(1);
  assert.equal(answer.at(-1), "RST_STREAM 1 CANCEL");
});

test("gRPC detail 7: what is left of the deadline is told to the handler, and that there is none", async (t) => {
  const seen: { remainingMs: number; deadline: Date | undefined }[] = [];
  const lab = await useServer(
    t,
    withHandlers({
      unary(note, { remainingMs, deadline }) {
        seen.push({ remainingMs, deadline });
        return note;
      },
    }),
    { over: "memory" },
  );
  const client = lab.client(Lab);
  await client.unary({}, { timeoutMs: 60_000 });
  await client.unary({});
  assert.ok(seen[0]!.remainingMs > 0 && seen[0]!.remainingMs <= 60_000);
  assert.ok(seen[0]!.deadline instanceof Date);
  assert.deepEqual(seen[1], { remainingMs: Number.POSITIVE_INFINITY, deadline: undefined });
});

test("the largest timeout there is arms one timer and fires nothing", async (t) => {
  const gate = Promise.withResolvers<object>();
  const lab = await useServer(t, withHandlers({ unary: () => gate.promise }));
  const peer = await RawPeer.ready(lab);
  peer.send(
    request(1, "Unary", [["grpc-timeout", "99999999H"]]),
    frames.data(1, prefixed(Buffer.alloc(0))).endStream(),
  );
  await eventually("the handler to run", () => lab.server.handlerCount === 1);
  const armed = timerWheel.size;
  gate.resolve({ text: "done" });
  assert.match((await peer.answer(1)).at(-1)!, /grpc-status=0/);
  assert.equal(timerWheel.size, armed - 1);
});

test("a call that ends in time leaves no timer, on either side", async (t) => {
  const lab = await useServer(t, withHandlers({}), { over: "memory" });
  const client = lab.client(Lab);
  await client.unary({});
  const before = timerWheel.size;
  await Promise.all(Array.from({ length: 50 }, () => client.unary({}, { timeoutMs: 60_000 })));
  assert.equal(timerWheel.size, before);
});

test("a handler that comes back after its deadline changes nothing", async (t) => {
  const clock = useFakeClock(t);
  const gate = Promise.withResolvers<object>();
  const lab = await useServer(t, withHandlers({ unary: () => gate.promise }), { over: "memory" });
  const client = lab.client(Lab);
  const late = failureOf(client.unary({}, { timeoutMs: 1_000 }), DEADLINE_EXCEEDED);
  await eventually("the handler to run", () => lab.server.handlerCount === 1);
  await clock.advance(1_000);
  await late;
  await eventually("the server to be done with the call", () => lab.server.streamCount === 0);
  gate.resolve({ text: "late" });
  await eventually("the handler to finish", () => lab.server.handlerCount === 0);
});
