/** Definitions of proto-loader, served to and called on real grpc-js. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Metadata } from "@grpc/grpc-js";
import { Channel, type ClientInterceptor, createClient, type MethodInfo, Server, StatusCode } from "volant";
import { fromGrpcJs } from "volant/grpc-js";
import { useServer } from "../../src/testing/index.ts";
import { grpcJsClient, type PlainNote } from "../server/support/grpc-js.ts";
import { collect, failureOf } from "../server/support/lab-service.ts";
import { startGrpcJsLab, typedLab, untypedLab } from "./support/proto-loader-lab.ts";

const Lab = fromGrpcJs(typedLab);

function echo(server: Server): void {
  server.add(Lab, {
    async unary({ text, number, body }) {
      return { text: `echo ${text}`, number, body };
    },
    async *download({ text, number }) {
      for (let at = 0; at < number; at++) yield { text: `${text} ${at}`, number: at };
    },
    async upload(requests) {
      const texts: string[] = [];
      for await (const { text } of requests) texts.push(text);
      return { text: texts.join(), number: texts.length };
    },
    async *chat(requests) {
      for await (const { text } of requests) yield { text: `echo ${text}` };
    },
  });
}

async function grpcJsServer(t: TestContext) {
  const server = await startGrpcJsLab();
  const channel = new Channel(server.target);
  t.after(async () => {
    await channel.close();
    server.close();
  });
  return channel;
}

function unaryOf(client: ReturnType<typeof grpcJsClient>, request: PlainNote): Promise<PlainNote> {
  return new Promise((resolve, reject) => {
    client.unary(request, new Metadata(), {}, (error, note) => (error === null ? resolve(note!) : reject(error)));
  });
}

test("a service of proto-loader serves the four kinds to a grpc-js client", async (t) => {
  const lab = await useServer(t, echo);
  const client = grpcJsClient(lab);
  const answer = await unaryOf(client, { text: "é", number: 7, body: Buffer.of(0, 255) });
  assert.deepEqual([answer.text, answer.number, [...answer.body!]], ["echo é", 7, [0, 255]]);
  const streamed = await collect<PlainNote>(client.download({ text: "n", number: 3 }));
  assert.deepEqual(
    streamed.map(({ text }) => text),
    ["n 0", "n 1", "n 2"],
  );
  const { promise, resolve, reject } = Promise.withResolvers<PlainNote>();
  const upload = client.upload(new Metadata(), {}, (error, note) => (error === null ? resolve(note!) : reject(error)));
  for (const text of ["a", "b"]) upload.write({ text });
  upload.end();
  assert.deepEqual(await promise.then(({ text, number }) => [text, number]), ["a,b", 2]);
  const chat = client.chat();
  for (const text of ["a", "b"]) chat.write({ text });
  chat.end();
  const answers = await collect<PlainNote>(chat);
  assert.deepEqual(
    answers.map(({ text }) => text),
    ["echo a", "echo b"],
  );
});

test("a client of proto-loader's definition calls the four kinds of a grpc-js server", async (t) => {
  const lab = createClient(Lab, await grpcJsServer(t));
  const { text, number, body } = await lab.unary({ text: "é", number: 7, body: Buffer.of(0, 255) });
  assert.deepEqual([text, number, [...body]], ["echo é", 7, [0, 255]]);
  assert.equal((await collect(lab.download({ text: "n", number: 3 }))).at(-1)?.text, "n 2");
  assert.equal((await lab.upload([{ text: "a" }, { text: "b" }])).text, "a,b");
  const chat = lab.chat();
  await chat.send({ text: "a" });
  chat.end();
  assert.deepEqual(
    (await collect(chat)).map((note) => note.text),
    ["echo a"],
  );
});

test("messages larger than a frame, a window and the buffer arrive whole, both ways", async (t) => {
  const lab = await useServer(t, echo);
  const client = createClient(Lab, lab.channel());
  const body = Buffer.alloc(3_000_000, "volant");
  const answer = await client.unary({ text: "large", body });
  assert.equal(body.compare(answer.body), 0);
});

test("a definition without types has every name, and messages whose fields nobody checks", async (t) => {
  const Untyped = fromGrpcJs(untypedLab);
  const lab = await useServer(t, (server) =>
    server.add(Untyped, { unary: async ({ text }) => ({ text: `echo ${text}` }) }, { partial: true }),
  );
  const client = createClient(Untyped, lab.channel());
  assert.equal((await client.unary!({ text: "x" })).text, "echo x");
  await failureOf(client.upload!([{ text: "x" }]), StatusCode.UNIMPLEMENTED);
});

test("bytes fields stay what they were when the connection goes on", async (t) => {
  const kept: Buffer[] = [];
  const lab = await useServer(t, (server) =>
    server.add(Lab, { unary: ({ body }) => ({ number: kept.push(body) }) }, { partial: true }),
  );
  const client = createClient(Lab, lab.channel());
  for (let at = 0; at < 50; at++) await client.unary({ body: Buffer.alloc(100, at) });
  for (const [at, body] of kept.entries()) assert.ok(body.equals(Buffer.alloc(100, at)), `body ${at} changed`);
});

test("interceptors see methods without a descriptor, on both sides", async (t) => {
  const seen: MethodInfo[] = [];
  const see: ClientInterceptor = (method) => void seen.push(method);
  const lab = await useServer(t, echo, { server: { interceptors: [(method) => void seen.push(method)] } });
  createClient(Lab, lab.channel(), { interceptors: [see] });
  const described = seen.map(({ path, service, name, kind, idempotency, descriptor }) => {
    assert.equal(descriptor, undefined);
    return `${path} ${service} ${name} ${kind} ${idempotency}`;
  });
  const expected = [
    "/volant.test.Lab/Unary volant.test.Lab Unary unary NO_SIDE_EFFECTS",
    "/volant.test.Lab/Download volant.test.Lab Download server_streaming IDEMPOTENT",
    "/volant.test.Lab/Upload volant.test.Lab Upload client_streaming UNKNOWN",
    "/volant.test.Lab/Chat volant.test.Lab Chat bidi_streaming UNKNOWN",
  ];
  assert.deepEqual(described, [...expected, ...expected]);
});

test("a server lists the service by name, and refuses it twice", () => {
  const server = new Server();
  echo(server);
  assert.deepEqual(
    server.services.map(({ typeName }) => typeName),
    ["volant.test.Lab"],
  );
  assert.throws(() => echo(server), /volant\.test\.Lab is registered already/);
});

test("a misspelt or missing handler is refused by the types and by add", () => {
  const server = new Server();
  const unary = async () => ({});
  const partial = { partial: true } as const;
  // @ts-expect-error: the service has no such method
  assert.throws(() => server.add(Lab, { unary, uplaod: unary }, partial), /has no method uplaod; did you mean upload/);
  // @ts-expect-error: names are lowerCamelCase, whatever the definition's keys
  assert.throws(() => server.add(Lab, { Unary: unary }, partial), /has no method Unary; did you mean unary/);
  // @ts-expect-error: three methods are missing
  assert.throws(() => server.add(Lab, { unary }), /Download was given no handler.*\{ partial: true \}/);
});
