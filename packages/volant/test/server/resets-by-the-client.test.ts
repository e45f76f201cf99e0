/** Every reset by a client is a cancellation, whatever its code: proxies have their own for a client that went away. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type CallEnd, RpcError, type ServerCall, StatusCode } from "../../src/index.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually, useServer } from "../../src/testing/index.ts";
import { ErrorCode, errorCodeName } from "../../src/transport/http2.ts";
import { realTime, replaceTime } from "../../src/transport/time.ts";
import { type LabHandlers, withHandlers } from "./support/lab-service.ts";
import { prefixed, RawPeer, call as request } from "./support/raw-peer.ts";

const { CANCELLED, DEADLINE_EXCEEDED, INTERNAL } = StatusCode;

/** Handlers that wait for the end of their call, and what each of them heard. */
class Heard {
  readonly ends: CallEnd[] = [];
  readonly thrown: string[] = [];
  readonly reasons: string[] = [];
  running = 0;

  readonly handlers: LabHandlers = {
    unary: (_note, call) => this.wait(call),
    download: (_note, call) => this.answer(undefined, call),
    upload: (requests, call) => this.read(requests, call),
    chat: (requests, call) => this.answer(requests, call),
  };

  private begin(call: ServerCall): void {
    this.running++;
    call.onEnd((end) => this.ends.push(end));
  }

  private wait(call: ServerCall): Promise<never> {
    this.begin(call);
    return new Promise((_, reject) => {
      call.signal.addEventListener("abort", () => {
        this.reasons.push(`${call.signal.reason.name}: ${call.signal.reason.message}`);
        reject(call.signal.reason);
      });
    });
  }

  private async read(requests: AsyncIterable<unknown>, call: ServerCall): Promise<object> {
    this.begin(call);
    try {
      for await (const _ of requests);
    } catch (error) {
      assert.ok(error instanceof RpcError);
      this.thrown.push(error.codeName);
      this.reasons.push(`${call.signal.reason.name}: ${call.signal.reason.message}`);
      throw error;
    }
    return {};
  }

  private async *answer(requests: AsyncIterable<unknown> | undefined, call: ServerCall): AsyncGenerator<object> {
    if (requests === undefined) yield await this.wait(call);
    else yield await this.read(requests, call);
  }
}

const KINDS = { Unary: false, Download: false, Upload: true, Chat: true } as const;
const CODES: readonly ErrorCode[] = [...Object.values(ErrorCode), 0x2a];

for (const [kind, hasRequestStream] of Object.entries(KINDS)) {
  test(`gRPC detail 24: ${kind}: a reset by the client is CANCELLED for its handler, whatever the code`, async (t) => {
    const heard = new Heard();
    const lab = await useServer(t, withHandlers(heard.handlers));
    const peer = await RawPeer.ready(lab);
    for (const [at, code] of CODES.entries()) {
      const id = 1 + 2 * at;
      const message = frames.data(id, prefixed(Buffer.alloc(0)));
      peer.send(request(id, kind), hasRequestStream ? message : message.endStream());
      await eventually("the handler to run", () => heard.running === at + 1);
      peer.send(frames.rstStream(id, code));
      const name = errorCodeName(code);
      await eventually(`the handler to hear of ${name}`, () => heard.reasons.length === at + 1);
      const { status, cancelledBy } = heard.ends[at]!;
      assert.deepEqual(
        [status.code, status.message, cancelledBy],
        [CANCELLED, "the client cancelled the call", "peer"],
        name,
      );
      assert.equal(heard.reasons[at], "AbortError: the client cancelled the call", name);
    }
    assert.deepEqual(heard.thrown, hasRequestStream ? CODES.map(() => "CANCELLED") : []);
  });
}

test("gRPC detail 24: a reset that comes when the deadline has passed is DEADLINE_EXCEEDED, by the deadline", async (t) => {
  const heard = new Heard();
  const lab = await useServer(t, withHandlers(heard.handlers), { over: "tcp" });
  const peer = await RawPeer.ready(lab);
  peer.send(request(1, "Upload", [["grpc-timeout", "1H"]]));
  await eventually("the handler to run", () => heard.running === 1);
  const real = replaceTime({ ...realTime, monotonicMs: () => realTime.monotonicMs() + 3_600_001 });
  t.after(() => replaceTime(real));
  peer.send(frames.rstStream(1, ErrorCode.CANCEL));
  await eventually("the handler to hear of it", () => heard.thrown.length === 1);
  const { status, cancelledBy } = heard.ends[0]!;
  assert.deepEqual([status.code, cancelledBy, heard.thrown[0]], [DEADLINE_EXCEEDED, "deadline", "DEADLINE_EXCEEDED"]);
});

test("a stream that this server resets, for a rule that the client broke, is INTERNAL and says with which code", async (t) => {
  const heard = new Heard();
  const lab = await useServer(t, withHandlers(heard.handlers));
  const peer = await RawPeer.ready(lab);
  peer.send(request(1, "Upload", [["content-length", "3"]]), frames.data(1, "four"));
  await eventually("the end of the call", () => heard.ends.length === 1);
  const { status, cancelledBy } = heard.ends[0]!;
  assert.deepEqual(
    [status.code, status.message, cancelledBy],
    [INTERNAL, "the server reset the stream with PROTOCOL_ERROR", "peer"],
  );
});
