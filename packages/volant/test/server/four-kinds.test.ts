/** The four kinds of call, by our client over every carrier and by grpc-js, with metadata in both directions. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Metadata as GrpcJsMetadata, type ServiceError } from "@grpc/grpc-js";
import type { Metadata, ServerCall } from "../../src/index.ts";
import { useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { grpcJsClient, type PlainNote } from "./support/grpc-js.ts";
import { collect, echo, type LabHandlers, withHandlers } from "./support/lab-service.ts";

/** The same answers, made by handlers that wait. */
const slowEcho: LabHandlers = {
  async unary(request, call) {
    await Promise.resolve();
    return echo.unary(request, call);
  },
  async *download(request, call) {
    for await (const note of echo.download(request, call)) {
      await new Promise((resolve) => setImmediate(resolve));
      yield note;
    }
  },
  upload: echo.upload,
  async *chat(requests, call) {
    await Promise.resolve();
    yield* echo.chat(requests, call);
  },
};

const HANDLERS = { "sync handlers": echo, "async handlers": slowEcho } as const;
const texts = ["a", "b", "c"];

for (const [pace, handlers] of Object.entries(HANDLERS)) {
  for (const over of ["memory", "tcp", "unix"] as const) {
    test(`all four kinds over ${over}, ${pace}`, async (t) => {
      const lab = await useServer(t, withHandlers(handlers), { over });
      const client = lab.client(Lab);
      const unary = await client.unary({ text: "x", number: -7, body: new Uint8Array([1, 2]) });
      assert.deepEqual([unary.text, unary.number, [...unary.body]], ["echo x", -7, [1, 2]]);
      const downloaded = await collect(client.download({ text: "n", number: 100 }));
      assert.deepEqual(
        downloaded.map(({ number }) => number),
        Array.from({ length: 100 }, (_, at) => at),
      );
      const uploaded = await client.upload(texts.map((text) => ({ text })));
      assert.deepEqual([uploaded.text, uploaded.number], ["a,b,c", 3]);
      const chat = client.chat();
      const answers = chat[Symbol.asyncIterator]();
      for (const text of texts) {
        await chat.send({ text });
        assert.equal((await answers.next()).value.text, `echo ${text}`);
      }
      chat.end();
      assert.equal((await answers.next()).done, true);
    });
  }

  test(`all four kinds by grpc-js, ${pace}`, async (t) => {
    const lab = await useServer(t, withHandlers(handlers));
    const client = grpcJsClient(lab);
    const none = new GrpcJsMetadata();
    const unary = await new Promise<PlainNote>((resolve, reject) =>
      client.unary({ text: "x", number: 5 }, none, {}, (error, note) => (error ? reject(error) : resolve(note!))),
    );
    assert.deepEqual([unary.text, unary.number], ["echo x", 5]);
    const downloaded = await collect<PlainNote>(client.download({ text: "n", number: 50 }));
    assert.equal(downloaded.length, 50);
    const uploaded = await new Promise<PlainNote>((resolve, reject) => {
      const upload = client.upload(none, {}, (error, note) => (error ? reject(error) : resolve(note!)));
      for (const text of texts) upload.write({ text });
      upload.end();
    });
    assert.equal(uploaded.text, "a,b,c");
    const chat = client.chat();
    for (const text of texts) {
      chat.write({ text });
      const [note] = (await once(chat, "data")) as [PlainNote];
      assert.equal(note.text, `echo ${text}`);
    }
    chat.end();
    await once(chat, "end");
  });
}

test("no message at all is legal for every stream", async (t) => {
  const lab = await useServer(t, withHandlers({}), { over: "memory" });
  const client = lab.client(Lab);
  assert.deepEqual(await collect(client.download({ number: 0 })), []);
  assert.equal((await client.upload([])).number, 0);
  assert.deepEqual(await collect(client.chat([])), []);
});

test("an empty message, one of 4 MiB and ten thousand small ones arrive as they are", async (t) => {
  const lab = await useServer(t, withHandlers({}), { over: "tcp" });
  const client = lab.client(Lab);
  assert.equal((await client.unary({})).text, "echo ");
  const body = new Uint8Array(4 * 1024 * 1024 - 32).fill(7);
  assert.deepEqual((await client.unary({ body })).body, body);
  assert.equal((await collect(client.download({ number: 10_000 }))).length, 10_000);
  const sent = await client.upload(Array.from({ length: 10_000 }, (_, at) => ({ text: String(at % 10) })));
  assert.equal(sent.number, 10_000);
});

/** Answers with what it received, in headers and in trailers. */
function mirror(call: ServerCall): void {
  for (const [key, value] of call.metadata) {
    if (!key.startsWith("x-")) continue;
    call.headers.append(key, value as never);
    call.trailers.append(`${key.replace("x-", "t-")}`, value as never);
  }
}

const mirroring: Partial<LabHandlers> = {
  unary(request, call) {
    mirror(call);
    return request;
  },
  *download(request, call) {
    mirror(call);
    yield request;
  },
  async upload(requests, call) {
    mirror(call);
    for await (const _ of requests);
    return {};
  },
  async *chat(requests, call) {
    mirror(call);
    call.sendHeaders();
    yield* requests;
  },
};

const KINDS = ["unary", "download", "upload", "chat"] as const;

test("gRPC detail 18: metadata goes both ways in every kind: text, binary and duplicates, in order", async (t) => {
  const lab = await useServer(t, withHandlers(mirroring));
  const client = lab.client(Lab);
  const metadata = { "x-text": ["one", "two"], "x-bytes-bin": new Uint8Array([0, 255, 1]) };
  for (const kind of KINDS) {
    const seen: Metadata[] = [];
    const options = {
      metadata,
      onHeaders: (headers: Metadata) => seen.push(headers),
      onTrailers: (trailers: Metadata) => seen.push(trailers),
    };
    if (kind === "unary") await client.unary({}, options);
    else if (kind === "download") await collect(client.download({}, options));
    else if (kind === "upload") await client.upload([{}], options);
    else await collect(client.chat([{}], options));
    const [headers, trailers] = seen as [Metadata, Metadata];
    assert.deepEqual(headers.getAll("x-text"), ["one", "two"], kind);
    assert.deepEqual([...headers.get("x-bytes-bin")!], [0, 255, 1], kind);
    assert.deepEqual(trailers.getAll("t-text"), ["one", "two"], kind);
    assert.deepEqual([...trailers.get("t-bytes-bin")!], [0, 255, 1], kind);
  }
});

test("grpc-js sends and reads the same metadata", async (t) => {
  const lab = await useServer(t, withHandlers(mirroring));
  const client = grpcJsClient(lab);
  const sent = new GrpcJsMetadata();
  sent.add("x-text", "one");
  sent.add("x-text", "two");
  sent.add("x-bytes-bin", Buffer.from([0, 255, 1]));
  const download = client.download({}, sent);
  const collected = collect<PlainNote>(download);
  const [[headers], [status]] = (await Promise.all([once(download, "metadata"), once(download, "status")])) as [
    [GrpcJsMetadata],
    [{ metadata: GrpcJsMetadata }],
  ];
  await collected;
  for (const [metadata, prefix] of [
    [headers, "x"],
    [status.metadata, "t"],
  ] as const) {
    assert.equal(metadata.get(`${prefix}-text`).join(", "), "one, two");
    assert.deepEqual(metadata.get(`${prefix}-bytes-bin`), [Buffer.from([0, 255, 1])]);
  }
});

test("what the client sees of a call that fails before its first message: one block with headers and trailers", async (t) => {
  const lab = await useServer(
    t,
    withHandlers({
      unary(_request, call) {
        call.headers.set("x-h", "1");
        call.trailers.set("x-t", "2");
        throw new Error("boom");
      },
    }),
  );
  const error = await new Promise<ServiceError>((resolve) =>
    grpcJsClient(lab).unary({}, new GrpcJsMetadata(), {}, (failure) => resolve(failure!)),
  );
  assert.deepEqual([error.metadata.get("x-h"), error.metadata.get("x-t")], [["1"], ["2"]]);
  assert.equal(lab.takeErrors().length, 1);
});

test("the handler sees its method, its peer and the client's metadata", async (t) => {
  const seen: unknown[] = [];
  const lab = await useServer(
    t,
    withHandlers({
      unary(request, call) {
        seen.push(call.method.path, call.method.kind, call.metadata.get("user-agent"), call.peer.address);
        return request;
      },
    }),
  );
  await lab.client(Lab, { userAgent: "tester/1" }).unary({});
  const [path, kind, userAgent, address] = seen as string[];
  assert.deepEqual([path, kind], ["/volant.test.Lab/Unary", "unary"]);
  assert.match(userAgent!, /^tester\/1 volant-node\//);
  assert.match(address!, /^127\.0\.0\.1:\d+$/);
});
