/**
 * Header lists larger than a side takes, as a client meets them: its own metadata stays here, a server's costs one call, and
 * the connection lives. RFC 9113 §6.5.2, §10.5.1.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { type ClientInterceptor, StatusCode } from "volant";
import { FIELD_OVERHEAD_BYTES } from "../../src/http2/index.ts";
import { methodsOf } from "../../src/rpc/method.ts";
import { type Fields, frames } from "../../src/testing/frame-factory.ts";
import { EchoService } from "./support/echo-service.ts";
import { allOf, drained, failure, openChannel, withPeer } from "./support/harness.ts";

const { RESOURCE_EXHAUSTED } = StatusCode;
const MAX_HEADER_LIST_SIZE = 6;
/** Tries again whatever may be tried again. */
const EAGER = { methods: "all", codes: [RESOURCE_EXHAUSTED, StatusCode.UNAVAILABLE] } as const;

const sizeOf = (fields: Fields): number =>
  fields.reduce((sum, [name, value]) => sum + name.length + value.length + FIELD_OVERHEAD_BYTES, 0);

test("§6.5.2 metadata up to the server's limit is sent, a byte more ends the call here, and a call beside it goes on", async (t) => {
  const { peer, client, channel } = await withPeer(t, { retry: EAGER });
  const first = client.unary({ value: "measured" }, { metadata: { "x-a": "" } });
  const connection = await peer.accept();
  await connection.handshake();
  const measured = await connection.sees(/^HEADERS 1/);
  connection.answer(1, "a");
  await first;
  const limit = 2_000;
  connection.write(frames.settings([MAX_HEADER_LIST_SIZE, limit]));
  await connection.sees(/^SETTINGS ack/);
  const room = limit - sizeOf(measured.fields!);
  const bystander = client.unary({ value: "bystander" }, { metadata: { "x-a": "m".repeat(room) } });
  await connection.sees(/^HEADERS 3/);
  const oneMore = { "x-a": "m".repeat(room + 1) };
  const error = await failure(client.unary({ value: "a" }, { metadata: oneMore }), RESOURCE_EXHAUSTED);
  // The paths of the others have other lengths.
  const metadata = { "x-a": "m".repeat(room + 10) };
  assert.match(
    error.message,
    /headers are 2001 bytes with 1 metadata entries, and at most 2000 the server takes \(SETTINGS_MAX/,
  );
  await failure(client.upload([{ value: "a" }], { metadata }), RESOURCE_EXHAUSTED);
  await failure(allOf(client.download({ value: "a" }, { metadata })), RESOURCE_EXHAUSTED);
  await failure(allOf(client.chat([{ value: "a" }], { metadata })), RESOURCE_EXHAUSTED);
  connection.answer(3, "b");
  assert.equal((await bystander).value, "b");
  const last = client.unary({ value: "a" });
  await connection.sees(/^HEADERS 5/);
  connection.answer(5, "c");
  await last;
  assert.deepEqual([channel.stats().faults["request-headers-too-large"], peer.count], [4, 1]);
});

test("metadata that waits for a connection, or comes from an interceptor, is measured when the server's limit is known", async (t) => {
  const large: ClientInterceptor = () => ({ onCall: (call) => void call.metadata.set("x-late", "m".repeat(600)) });
  const { peer, client } = await withPeer(t, { interceptors: [large] });
  const waiting = failure(client.unary({ value: "a" }), RESOURCE_EXHAUSTED);
  const behind = failure(client.unary({ value: "b" }), RESOURCE_EXHAUSTED);
  const connection = await peer.accept();
  await connection.handshake([MAX_HEADER_LIST_SIZE, 700]);
  await Promise.all([waiting, behind]);
  assert.equal(
    connection.log.some((line) => line.startsWith("HEADERS")),
    false,
  );
});

test("to a server that names no limit goes what maxSentHeaderListBytes allows, and the error names the option", async (t) => {
  for (const [http2, sent, kept] of [
    [{}, 15_000, 17_000],
    [{ maxSentHeaderListBytes: 65_536 }, 60_000, 66_000],
  ] as const) {
    const { peer, client } = await withPeer(t, { http2 });
    const passes = client.unary({ value: "a" }, { metadata: { "x-a": "m".repeat(sent) } });
    const connection = await peer.accept();
    await connection.handshake();
    await connection.sees(/^DATA 1/);
    connection.answer(1, "a");
    await passes;
    const error = await failure(
      client.unary({ value: "a" }, { metadata: { "x-a": "m".repeat(kept) } }),
      RESOURCE_EXHAUSTED,
    );
    assert.match(error.message, /names no limit \(http2\.maxSentHeaderListBytes of the channel\)/);
  }
});

test("a server that takes no header list at all gets no call, and each ends by itself", async (t) => {
  const { peer, client } = await withPeer(t);
  const call = failure(client.unary({ value: "a" }), RESOURCE_EXHAUSTED);
  const connection = await peer.accept();
  await connection.handshake([MAX_HEADER_LIST_SIZE, 0]);
  await call;
});

for (const part of ["headers", "trailers", "only block"] as const) {
  for (const bytes of [20_000, 200_000]) {
    test(`§10.5.1 ${bytes} bytes in the ${part} of a response end that call, untried again, and no other`, async (t) => {
      const { peer, client, channel } = await withPeer(t, { retry: EAGER });
      const call = client.unary({ value: "a" });
      const connection = await peer.accept();
      await connection.handshake();
      await connection.sees(/^DATA 1/);
      const bystander = client.unary({ value: "bystander" });
      await connection.sees(/^DATA 3/);
      const cuts = Array.from({ length: Math.floor(bytes / 16_000) }, (_, at) => 16_000 * (at + 1));
      const large: Fields = [["x-large", "h".repeat(bytes)]];
      if (part === "headers") connection.write(connection.headers(1, large).continued(...cuts));
      else if (part === "trailers") {
        connection.write(connection.headers(1), connection.trailers(1, "0", large).continued(...cuts));
      } else {
        const only = connection.headers(1, [["grpc-status", "5"], ...large]).endStream();
        connection.write(only.continued(...cuts));
      }
      const { message } = await failure(call, RESOURCE_EXHAUSTED);
      const named = part === "trailers" ? "trailers" : "headers";
      assert.match(
        message,
        new RegExp(`^the ${named} of the response are larger .* http2.maxHeaderListBytes is 16384`),
      );
      connection.answer(3, "b");
      assert.equal((await bystander).value, "b");
      assert.equal(connection.log.filter((line) => line.startsWith("HEADERS")).length, 2, "nothing was tried again");
      assert.deepEqual([channel.state, channel.stats().faults["header-list-too-large"]], ["READY", 1]);
    });
  }
}

/** A grpc-js server whose errors have as many characters as it is asked for. */
async function verboseGrpcJs(t: TestContext): Promise<{ target: string; runs: () => number }> {
  let runs = 0;
  const server = new grpc.Server();
  const unary = methodsOf(EchoService).find(({ localName }) => localName === "unary")!;
  const download = methodsOf(EchoService).find(({ localName }) => localName === "download")!;
  const asBytes = {
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  };
  let ended: (() => void) | undefined;
  const definition = {
    unary: { path: unary.path, requestStream: false, responseStream: false, ...asBytes },
    download: { path: download.path, requestStream: false, responseStream: true, ...asBytes },
  };
  server.addService(definition, {
    unary(call: grpc.ServerUnaryCall<Buffer, Buffer>, respond: grpc.sendUnaryData<Buffer>) {
      const characters = Number(call.request.subarray(2).toString());
      if (characters === 0) {
        ended?.();
        respond(null, Buffer.alloc(0));
        return;
      }
      runs++;
      respond({ code: grpc.status.NOT_FOUND, details: "x".repeat(characters) });
    },
    download(call: grpc.ServerWritableStream<Buffer, Buffer>) {
      call.write(Buffer.alloc(0));
      ended = () => call.end();
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure();
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  t.after(() => server.forceShutdown());
  return { target: `127.0.0.1:${port}`, runs: () => runs };
}

test("grpc-js: an error of 70,000 or 300,000 characters ends its call with RESOURCE_EXHAUSTED, runs once, and no other call ends", async (t) => {
  const server = await verboseGrpcJs(t);
  const { client } = openChannel(t, server.target, { retry: EAGER });
  const bystander = drained(client.download({ value: "" }));
  for (const characters of ["70000", "300000"]) {
    const error = await failure(client.unary({ value: characters }), RESOURCE_EXHAUSTED);
    assert.match(error.message, /http2\.maxHeaderListBytes is 16384/);
  }
  assert.equal(server.runs(), 2);
  await failure(client.unary({ value: "10000" }), StatusCode.NOT_FOUND);
  await client.unary({ value: "0" });
  const { values, error } = await bystander;
  assert.deepEqual([values.length, error], [1, undefined]);
});

test("grpc-js: with room for it an error of 40,000 characters arrives whole", async (t) => {
  const server = await verboseGrpcJs(t);
  const { client } = openChannel(t, server.target, { http2: { maxHeaderListBytes: 65_536 } });
  const error = await failure(client.unary({ value: "40000" }), StatusCode.NOT_FOUND);
  assert.equal(error.message.length, 40_000);
});
