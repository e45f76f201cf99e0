/**
 * Ends of calls that are larger than the client takes: the code arrives, what has no room is left out and reported once, and
 * the other calls of the connection notice nothing. RFC 9113 §6.5.2, §10.5.1.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { errorInfo, Metadata, RpcError, type ServerCall, type ServerOptions, StatusCode } from "../../src/index.ts";
import { type Fields, FrameTrace, frames } from "../../src/testing/frame-factory.ts";
import { type Lab as LabUnderTest, useServer } from "../../src/testing/index.ts";
import { Lab, type Note } from "../gen/lab_pb.ts";
import { grpcJsClient, type PlainNote } from "../server/support/grpc-js.ts";
import { collect, failureOf, type LabHandlers, withHandlers } from "../server/support/lab-service.ts";
import { call, prefixed, RawPeer } from "../server/support/raw-peer.ts";

const { NOT_FOUND, RESOURCE_EXHAUSTED } = StatusCode;

/** What a handler does for the text of its request. */
const ENDS: Readonly<Record<string, (call: ServerCall) => void>> = {
  message: () => {
    throw new RpcError(NOT_FOUND, "x".repeat(70_000));
  },
  "every script": () => {
    throw new RpcError(NOT_FOUND, "é %\u{1F600}".repeat(20_000));
  },
  detail: () => {
    const details = [errorInfo({ reason: "R".repeat(30_000), domain: "d" })];
    throw new RpcError(NOT_FOUND, "short", { details });
  },
  trailers: ({ trailers }) => {
    for (let at = 0; at < 10; at++) trailers.set(`x-${at}`, "t".repeat(4_000));
    throw new RpcError(NOT_FOUND, "short", { details: [errorInfo({ reason: "SMALL", domain: "d" })] });
  },
  "headers not sent": ({ headers, trailers }) => {
    headers.set("x-header", "h".repeat(40_000));
    trailers.set("x-small", "s");
    throw new RpcError(NOT_FOUND, "short");
  },
  "metadata of the error": () => {
    const metadata = { "x-bin": new Uint8Array(30_000), "grpc-retry-pushback-ms": "-1" };
    throw new RpcError(NOT_FOUND, "short", { metadata });
  },
};

const act = ({ text }: Note, context: ServerCall): object => {
  ENDS[text]?.(context);
  return { text: `echo ${text}` };
};

interface Scene {
  readonly lab: LabUnderTest;
  /** Lets the call that is under way meanwhile end. */
  readonly release: () => void;
}

async function openLab(t: TestContext, more: Partial<LabHandlers> = {}, server: ServerOptions = {}): Promise<Scene> {
  const gate = Promise.withResolvers<void>();
  const handlers: Partial<LabHandlers> = {
    unary: act,
    async *download(request, context) {
      yield { text: "first" };
      if (request.text === "bystander") await gate.promise;
      else act(request, context);
      yield { text: "last" };
    },
    ...more,
  };
  const lab = await useServer(t, withHandlers(handlers), { server });
  return { lab, release: gate.resolve };
}

const reports = (lab: LabUnderTest): string[] => lab.takeErrors().map((error) => (error as Error).message);

for (const kind of ["unary", "download"] as const) {
  test(`an error with a large part keeps its code (${kind}), and a call beside it goes on`, async (t) => {
    const { lab, release } = await openLab(t);
    const client = lab.client(Lab);
    const bystander = collect(client.download({ text: "bystander" }));
    const ended = new Map<string, RpcError>();
    const names = Object.keys(ENDS).filter((name) => kind === "unary" || name !== "headers not sent");
    for (const text of names) {
      const running = kind === "unary" ? client.unary({ text }) : collect(client.download({ text }));
      ended.set(text, await failureOf(running, NOT_FOUND));
      assert.equal(reports(lab).length, 1, `one report for ${text}`);
    }
    assert.match(ended.get("message")!.message, /^x{16000,16384}\.\.\.\[cut\]$/);
    assert.match(ended.get("every script")!.message, /^(?:é %\u{1F600})+(?:é| |%)*\.\.\.\[cut\]$/u);
    assert.deepEqual([ended.get("detail")!.message, ended.get("detail")!.details.length], ["short", 0]);
    assert.deepEqual([ended.get("trailers")!.message, ended.get("trailers")!.details.length], ["short", 1]);
    assert.equal(ended.get("trailers")!.metadata.size, 0);
    assert.deepEqual([...ended.get("metadata of the error")!.metadata], [["grpc-retry-pushback-ms", "-1"]]);
    release();
    assert.equal((await bystander).length, 2);
    assert.equal(lab.server.stats().faults["status-cut"], names.length);
    if (kind === "unary") assert.deepEqual([...ended.get("headers not sent")!.metadata], [["x-small", "s"]]);
  });
}

test("an error with a large part keeps its code behind messages that are compressed", async (t) => {
  const { lab, release } = await openLab(t, {}, { compression: { send: "gzip", minBytes: 0 } });
  release();
  const error = await failureOf(collect(lab.client(Lab).download({ text: "message" })), NOT_FOUND);
  assert.match(error.message, /^x{16000,16384}\.\.\.\[cut\]$/);
  assert.equal(lab.takeErrors().length, 1);
});

test("an answer with trailers larger than the client takes is still OK, without them, and says so to onError", async (t) => {
  const { lab } = await openLab(t, {
    unary: (_, { trailers }) => {
      trailers.set("x-large", "t".repeat(40_000)).set("x-small", "s");
      return { text: "answer" };
    },
  });
  let received = new Metadata();
  const { text } = await lab.client(Lab).unary({}, { onTrailers: (trailers) => (received = trailers) });
  assert.deepEqual([text, received.size], ["answer", 0]);
  const [report, ...more] = reports(lab);
  assert.deepEqual(more, []);
  assert.match(
    report!,
    /Unary has 4\d{4} bytes, of which the client takes 16384; left out: metadata \(2 fields, 4\d{4} bytes\)/,
  );
});

test("a retry policy does not run the handler again for an error that was too large", async (t) => {
  let runs = 0;
  const { lab } = await openLab(t, {
    unary: () => {
      runs++;
      throw new RpcError(NOT_FOUND, "x".repeat(70_000));
    },
  });
  await failureOf(lab.client(Lab, { retry: {} }).unary({}), NOT_FOUND);
  assert.equal(runs, 1);
  lab.takeErrors();
});

for (const early of [false, true]) {
  const how = early ? "sendHeaders() throws it to the handler" : "it is the call's status";
  test(`response headers larger than the client takes are RESOURCE_EXHAUSTED: ${how}`, async (t) => {
    const thrown: unknown[] = [];
    const { lab, release } = await openLab(t, {
      unary: (_, context) => {
        context.headers.set("x-large", "h".repeat(40_000));
        if (!early) return {};
        try {
          context.sendHeaders();
        } catch (error) {
          thrown.push(error);
          context.headers.delete("x-large");
          context.headers.set("x-small", "s");
        }
        context.sendHeaders();
        return { text: "answer" };
      },
    });
    const client = lab.client(Lab);
    const bystander = collect(client.download({ text: "bystander" }));
    if (early) {
      let headers = new Metadata();
      const { text } = await client.unary({}, { onHeaders: (received) => (headers = received) });
      assert.deepEqual([text, headers.get("x-small")], ["answer", "s"]);
      assert.match(String(thrown[0]), /response headers are 40\d{3} bytes, and the client takes 16384/);
    } else {
      const error = await failureOf(client.unary({}), RESOURCE_EXHAUSTED);
      assert.match(error.message, /response headers are 40\d{3} bytes, and the client takes 16384/);
      assert.equal(reports(lab).length, 1);
    }
    release();
    assert.equal((await bystander).length, 2);
  });
}

test("a stream without messages whose headers are too large ends with RESOURCE_EXHAUSTED", async (t) => {
  const { lab } = await openLab(t, {
    download: (_, { headers }) => {
      headers.set("x-large", "h".repeat(40_000));
      return [];
    },
  });
  await failureOf(collect(lab.client(Lab).download({})), RESOURCE_EXHAUSTED);
  assert.equal(reports(lab).length, 1);
});

const empty = (id: number) => frames.data(id, prefixed(Buffer.alloc(0))).endStream();
/** An answer in front of the request's end is followed by a reset that says so: RFC 9113 §8.1. */
const status = (lines: readonly string[]): string[] =>
  lines.filter((line) => !line.endsWith(" NO_ERROR")).map((line) => line.replace(/x{5,}/g, "x…"));

/** A client that takes header lists of that size. */
async function peerTaking(lab: LabUnderTest, bytes: number): Promise<RawPeer> {
  const peer = await RawPeer.ready(lab);
  return peer.send(frames.settings([6, bytes]));
}

/** What clients that take so much get for an error and for a message. */
const SMALL: readonly (readonly [takes: number, error: readonly string[], answer: readonly string[]])[] = [
  [0, ["RST_STREAM 1 INTERNAL_ERROR"], ["RST_STREAM 3 INTERNAL_ERROR"]],
  [86, ["HEADERS 1 end :status=200 grpc-status=8"], ["HEADERS 3 end :status=200 grpc-status=8"]],
  [101, ["HEADERS 1 end :status=200 grpc-status=8"], ["HEADERS 3 end :status=200 grpc-status=8"]],
  [
    102,
    ["HEADERS 1 :status=200 content-type=application/grpc", "HEADERS 1 end grpc-status=5"],
    ["HEADERS 3 :status=200 content-type=application/grpc", "DATA 3 [16]", "HEADERS 3 end grpc-status=0"],
  ],
  [
    146,
    ["HEADERS 1 end :status=200 content-type=application/grpc grpc-status=5"],
    ["HEADERS 3 :status=200 content-type=application/grpc", "DATA 3 [16]", "HEADERS 3 end grpc-status=0"],
  ],
  [
    210,
    ["HEADERS 1 end :status=200 content-type=application/grpc grpc-status=5 grpc-message=x…...[cut]"],
    ["HEADERS 3 :status=200 content-type=application/grpc", "DATA 3 [16]", "HEADERS 3 end grpc-status=0"],
  ],
];

for (const [takes, error, answer] of SMALL) {
  test(`§6.5.2 a client that takes header lists of ${takes} bytes gets what fits, and its connection lives`, async (t) => {
    const { lab } = await openLab(t);
    const peer = await peerTaking(lab, takes);
    const request = Buffer.from("0a076d657373616765", "hex");
    peer.send(call(1, "Unary"), frames.data(1, prefixed(request)).endStream());
    assert.deepEqual(status(await peer.answer(1)), error);
    peer.send(call(3, "Unary"), frames.data(3, prefixed(Buffer.from("0a0461736b65", "hex"))).endStream());
    assert.deepEqual(status(await peer.answer(3)), answer);
    peer.send(call(5, "Missing"), empty(5));
    await peer.answer(5);
    assert.equal(peer.isClosed, false);
    lab.takeErrors();
  });
}

test("§6.5.2 a client that takes little is reported once, however many ends are cut for it", async (t) => {
  const { lab } = await openLab(t, {
    unary: () => {
      throw new RpcError(NOT_FOUND, "x".repeat(500));
    },
  });
  const peer = await peerTaking(lab, 300);
  for (const id of [1, 3, 5]) {
    peer.send(call(id, "Unary"), empty(id));
    assert.match((await peer.answer(id)).join(), /grpc-status=5 grpc-message=x+\.\.\.\[cut\]/);
  }
  assert.equal(lab.takeErrors().length, 1);
  assert.equal(lab.server.stats().faults["status-cut"], 3);
});

test("§6.5.2 a client that lowers its limit between two messages gets an end that fits", async (t) => {
  const gate = Promise.withResolvers<void>();
  const { lab } = await openLab(t, {
    async *download() {
      yield { text: "first" };
      await gate.promise;
      throw new RpcError(NOT_FOUND, "x".repeat(1_000));
    },
  });
  const peer = await RawPeer.ready(lab);
  peer.send(call(1, "Download"), empty(1));
  await peer.line(/^DATA 1/);
  const acks = (): number => new FrameTrace().read(peer.raw).filter(({ text }) => text === "SETTINGS ack").length;
  const before = acks();
  peer.send(frames.settings([6, 200]), frames.ping());
  await peer.line(/^PING .*ack/);
  assert.equal(acks(), before + 1);
  gate.resolve();
  assert.match((await peer.answer(1)).at(-1)!, /^HEADERS 1 end grpc-status=5 grpc-message=x{50,}\.\.\.\[cut\]$/);
  lab.takeErrors();
});

test("§10.5.1 a request whose headers are far too large is answered RESOURCE_EXHAUSTED, and calls beside it go on", async (t) => {
  const rejected: string[] = [];
  const onRejected: ServerOptions["onRejected"] = ({ path, code }) => rejected.push(`${path} ${code}`);
  const { lab } = await openLab(t, {}, { onRejected });
  const peer = await RawPeer.ready(lab);
  const metadata: Fields = [["x-large", "é".repeat(80_000)]];
  peer.send(call(1, "Unary"));
  const cuts = (length: number): number[] =>
    Array.from({ length: Math.floor(length / 16_000) }, (_, at) => 16_000 * (at + 1));
  peer.send(call(3, "Unary", metadata).continued(...cuts(80_000)), empty(3));
  assert.match(
    (await peer.answer(3)).join(),
    /grpc-status=8 grpc-message=the request's header list is larger .* 16384 bytes/,
  );
  peer.send(call(5, "Unary", [["x-large", "m".repeat(17_000)]]).continued(16_000), empty(5));
  assert.match((await peer.answer(5)).join(), /grpc-status=8/);
  peer.send(empty(1));
  assert.match((await peer.answer(1)).join(), /grpc-status=0/);
  assert.deepEqual(rejected, [" 8", "/volant.test.Lab/Unary 8"]);
});

test("grpc-js: its calls keep their codes, and a call beside them goes on", async (t) => {
  const { lab, release } = await openLab(t);
  const client = grpcJsClient(lab);
  const bystander = new Promise<number>((resolve, reject) => {
    let count = 0;
    client
      .download({ text: "bystander" })
      .on("data", () => count++)
      .on("error", reject)
      .on("end", () => resolve(count));
  });
  const codeOf = (request: PlainNote, metadata = new grpc.Metadata()): Promise<number> =>
    new Promise((resolve) => client.unary(request, metadata, {}, (error) => resolve(error?.code ?? 0)));
  for (const text of Object.keys(ENDS)) assert.equal(await codeOf({ text }), NOT_FOUND, text);
  assert.equal(lab.takeErrors().length, Object.keys(ENDS).length);
  const large = new grpc.Metadata();
  large.set("x-large", "m".repeat(40_000));
  assert.equal(await codeOf({ text: "a" }, large), RESOURCE_EXHAUSTED);
  assert.equal(await codeOf({ text: "a" }), 0);
  release();
  assert.equal(await bystander, 2);
});
