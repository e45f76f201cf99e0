/** What messages become on their way in: unknown fields dropped unless they are asked for, and no more values than were allowed, in either role. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import type { ChannelOptions } from "../../src/client/channel-options.ts";
import { createClient } from "../../src/client/create-client.ts";
import { type MethodInfo, Server, type ServerOptions, StatusCode } from "../../src/index.ts";
import { codecOf } from "../../src/protobuf/index.ts";
import { Health, health } from "../../src/services/index.ts";
import { createTestChannel } from "../../src/testing/index.ts";
import { Lab, type Note, NoteSchema } from "../gen/lab_pb.ts";
import { collect, echo, failureOf } from "./support/lab-service.ts";

const UNKNOWN = Array.from({ length: 20 }, (_, index) => ({
  no: 1_000 + index,
  wireType: 0,
  data: Uint8Array.of(index),
}));

/** As a newer version of the program would send it. */
function newerNote(text = ""): Note {
  return { $typeName: "volant.test.Note", text, number: 0, body: new Uint8Array(0), $unknown: UNKNOWN };
}

/** Unknown fields that handlers and clients see of 20 in each direction, by method. */
async function seen(server: ServerOptions, channel: ChannelOptions) {
  const atServer: number[] = [];
  const answer = (note: Note): Note => {
    atServer.push(note.$unknown?.length ?? 0);
    return newerNote();
  };
  const lab = new Server(server).add(Lab, {
    ...echo,
    unary: answer,
    *download(note) {
      yield answer(note);
    },
  });
  const connected = createTestChannel(lab, channel);
  try {
    const client = createClient(Lab, connected);
    const unary = await client.unary(newerNote());
    const [download] = await collect(client.download(newerNote()));
    return { atServer, atClient: [unary, download!].map(({ $unknown }) => $unknown?.length ?? 0) };
  } finally {
    await connected.close();
    await lab.close();
  }
}

test("unknown fields are dropped by both sides by default", async () => {
  assert.deepEqual(await seen({}, {}), { atServer: [0, 0], atClient: [0, 0] });
});

test("a server and a channel keep unknown fields where they are asked to", async () => {
  assert.deepEqual(await seen({ unknownFields: "keep" }, {}), { atServer: [20, 20], atClient: [0, 0] });
  assert.deepEqual(await seen({}, { unknownFields: "keep" }), { atServer: [0, 0], atClient: [20, 20] });
});

test("unknown fields are kept for the methods that a function says, which is asked once for each", async () => {
  const asked: string[] = [];
  const unknownFields = ({ name }: MethodInfo): "keep" | "drop" => {
    asked.push(name);
    return name === "Download" ? "keep" : "drop";
  };
  const both = { unknownFields };
  assert.deepEqual(await seen(both, both), { atServer: [0, 20], atClient: [0, 20] });
  assert.deepEqual(asked.sort(), ["Chat", "Chat", "Download", "Download", "Unary", "Unary", "Upload", "Upload"]);
});

test("health drops unknown fields, and counts what it decodes, as every service of its server does", async () => {
  const server = new Server({ maxDecodedValues: 0 });
  health(server);
  const channel = createTestChannel(server);
  const error = await failureOf(createClient(Health, channel).check({}), StatusCode.RESOURCE_EXHAUSTED);
  assert.match(error.message, /grpc\.health\.v1\.HealthCheckRequest.*maxDecodedValues/);
  await channel.close();
  await server.close();
});

test("a message of more values than a server allows is RESOURCE_EXHAUSTED, and names the option", async () => {
  const server = new Server({ maxDecodedValues: 10, unknownFields: "keep" }).add(Lab, echo);
  const channel = createTestChannel(server);
  const client = createClient(Lab, channel);
  assert.equal((await client.unary({ text: "few" })).text, "echo few");
  const error = await failureOf(client.unary(newerNote()), StatusCode.RESOURCE_EXHAUSTED);
  assert.match(
    error.message,
    /^a message of \d+ bytes: cannot decode volant\.test\.Note\.#1004: the message has more values than the 10 that maxDecodedValues allows; send less/,
  );
  assert.equal(server.stats().faults["message-refused"], 1);
  await failureOf(client.upload([{}, newerNote()]), StatusCode.RESOURCE_EXHAUSTED);
  await channel.close();
  await server.close();
});

test("an answer of more values than a channel allows is RESOURCE_EXHAUSTED for that call", async () => {
  const server = new Server().add(Lab, { ...echo, unary: (note) => (note.number === 1 ? newerNote() : note) });
  const channel = createTestChannel(server, { maxDecodedValues: 10, unknownFields: "keep" });
  const client = createClient(Lab, channel);
  await failureOf(client.unary({ number: 1 }), StatusCode.RESOURCE_EXHAUSTED);
  assert.equal((await client.unary({ text: "few" })).text, "few");
  assert.equal(channel.stats().faults["message-refused"], 1);
  await channel.close();
  await server.close();
});

test("options that are none are refused, with what was given and what is allowed", () => {
  assert.throws(() => new Server({ maxDecodedValues: -1 }), /maxDecodedValues/);
  assert.throws(
    () => new Server({ unknownFields: "lose" as "keep" }),
    /unknownFields: "lose" given, "drop" or "keep" is allowed/,
  );
  const lost = new Server({ unknownFields: () => undefined as never });
  assert.throws(() => lost.add(Lab, echo), /unknownFields: a value of type undefined given/);
});

test("a codec under other limits keeps its own options", () => {
  const bytes = Buffer.from([0x0a, 1, 97, 0x78, 1]);
  const limited = codecOf(StringValueSchema).withLimits!({ unknownFields: "drop" });
  assert.equal(limited.decode(bytes, 0, bytes.length).$unknown, undefined);
  assert.equal(
    codecOf(NoteSchema).withLimits!({ maxDecodedValues: 5 }).decode(bytes, 0, bytes.length).$unknown?.length,
    1,
  );
});
