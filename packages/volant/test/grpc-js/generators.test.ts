/** Definitions shaped as ts-proto and grpc-tools write them; serializers that fail. Both sides are ours, or one is grpc-js. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Channel, createClient, Server, StatusCode } from "volant";
import { fromGrpcJs } from "volant/grpc-js";
import { useServer } from "../../src/testing/index.ts";
import { Lab as DescribedLab } from "../gen/lab_pb.ts";
import { collect, echo, failureOf } from "../server/support/lab-service.ts";
import { LabService as GrpcToolsService, NoteMessage } from "./support/grpc-tools-lab.ts";
import type { Note } from "./support/note-wire.ts";
import { startGrpcJsLab } from "./support/proto-loader-lab.ts";
import { LabService as TsProtoService } from "./support/ts-proto-lab.ts";

const TsProtoLab = fromGrpcJs(TsProtoService);
const GrpcToolsLab = fromGrpcJs(GrpcToolsService);

function note(text: string, number = 0): Note {
  return { text, number, body: new Uint8Array() };
}

test("ts-proto: plain objects with exact types, each kind", async (t) => {
  const lab = await useServer(t, (server) =>
    server.add(TsProtoLab, {
      unary: (request) => note(`echo ${request.text}`, request.number),
      *download({ text, number }) {
        for (let at = 0; at < number; at++) yield note(text, at);
      },
      async upload(requests) {
        return note((await collect(requests)).map(({ text }) => text).join());
      },
      async *chat(requests) {
        for await (const { text } of requests) yield note(`echo ${text}`);
      },
    }),
  );
  const client = createClient(TsProtoLab, lab.channel());
  const answer: Note = await client.unary(note("é", 7));
  assert.deepEqual([answer.text, answer.number], ["echo é", 7]);
  assert.equal((await collect(client.download(note("n", 3)))).length, 3);
  const upload = client.upload();
  await upload.send(note("a"));
  upload.end();
  assert.equal((await upload).text, "a");
  assert.equal((await collect(client.chat([note("x")])))[0]?.text, "echo x");
});

test("ts-proto: the types know fields and kinds", () => {
  const server = new Server();
  const partial = { partial: true } as const;
  const whole = fromGrpcJs({ unary: TsProtoService.unary });
  // @ts-expect-error: a message has all its fields
  server.add(TsProtoLab, { unary: () => ({ text: "" }) }, partial);
  // @ts-expect-error: this kind yields
  new Server().add(TsProtoLab, { download: async () => note("") }, partial);
  // @ts-expect-error: there is no such field
  new Server().add(whole, { unary: (request) => note(request.txt) });
  const channel = new Channel("localhost:1");
  const client = createClient(whole, channel);
  // @ts-expect-error: there is no such method
  assert.equal(client.uplaod, undefined);
  assert.deepEqual(Object.keys(client), ["unary"]);
  return channel.close();
});

test("grpc-tools: message classes, each kind", async (t) => {
  const lab = await useServer(t, (server) =>
    server.add(GrpcToolsLab, {
      unary: (request) => new NoteMessage().setText(`echo ${request.getText()}`),
      *download(request) {
        for (let at = 0; at < request.getNumber(); at++) yield new NoteMessage().setNumber(at);
      },
      async upload(requests) {
        return new NoteMessage().setNumber((await collect(requests)).length);
      },
      async *chat(requests) {
        for await (const request of requests) yield request;
      },
    }),
  );
  const client = createClient(GrpcToolsLab, lab.channel());
  assert.equal((await client.unary(new NoteMessage().setText("é"))).getText(), "echo é");
  assert.equal((await collect(client.download(new NoteMessage().setNumber(3)))).at(-1)?.getNumber(), 2);
  assert.equal((await client.upload([new NoteMessage(), new NoteMessage()])).getNumber(), 2);
  assert.equal((await collect(client.chat([new NoteMessage().setText("x")])))[0]?.getText(), "x");
});

test("every generator's client talks to every server: grpc-js, and ours of a descriptor", async (t) => {
  const peer = await startGrpcJsLab();
  const ours = await useServer(t, (server) => server.add(DescribedLab, echo));
  ours.defer(() => peer.close());
  for (const target of [peer.target, ours.target]) {
    const channel = new Channel(target);
    ours.defer(() => channel.close());
    assert.equal((await createClient(TsProtoLab, channel).unary(note("a"))).text, "echo a");
    assert.equal((await createClient(GrpcToolsLab, channel).unary(new NoteMessage().setText("a"))).getText(), "echo a");
  }
});

test("a response that its serializer refuses is INTERNAL without its words, and reported", async (t) => {
  const lab = await useServer(t, (server) =>
    // What plain JavaScript may do: this serializer wants its class.
    server.add(GrpcToolsLab, { unary: () => ({}) as NoteMessage }, { partial: true }),
  );
  const client = createClient(TsProtoLab, lab.channel());
  const error = await failureOf(client.unary(note("a")), StatusCode.INTERNAL);
  assert.equal(error.message, "internal error");
  assert.match(String(lab.takeErrors()[0]), /Expected argument of type volant\.test\.Note/);
  await failureOf(client.unary(note("the connection goes on")), StatusCode.INTERNAL);
  lab.takeErrors();
});

test("a request that its serializer refuses ends the call with INTERNAL and the reason", async (t) => {
  const lab = await useServer(t, (server) => server.add(DescribedLab, echo));
  const client = createClient(GrpcToolsLab, lab.channel());
  const error = await failureOf(client.unary({} as NoteMessage), StatusCode.INTERNAL);
  assert.match(error.message, /^the request cannot be sent: Expected argument of type/);
});

test("octets that a deserializer refuses are INTERNAL, on both sides", async (t) => {
  const refuse = (): never => {
    throw new Error("not today");
  };
  const lab = await useServer(t, (server) => {
    const { unary, chat } = TsProtoService;
    const definition = { unary: { ...unary, requestDeserialize: refuse }, chat };
    server.add(fromGrpcJs(definition), { unary: () => note(""), chat: (requests) => requests });
  });
  const channel = lab.channel();
  const atServer = await failureOf(createClient(TsProtoLab, channel).unary(note("a")), StatusCode.INTERNAL);
  assert.match(atServer.message, /cannot be decoded: not today/);
  const { chat } = TsProtoService;
  const deaf = createClient(fromGrpcJs({ chat: { ...chat, responseDeserialize: refuse } }), channel);
  await failureOf(collect(deaf.chat([note("a")])), StatusCode.INTERNAL);
});
