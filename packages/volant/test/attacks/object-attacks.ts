/**
 * Attacks by messages that are small in bytes and large in memory: what a message costs is the objects that it becomes. Owns a service of
 * one method whose requests have every kind of field.
 */
import { gzipSync } from "node:zlib";
import type { JsonObject } from "@bufbuild/protobuf";
import type { Server, ServerOptions } from "../../src/index.ts";
import { codecOf, encode } from "../../src/protobuf/index.ts";
import type { MethodDefinition, ServiceDefinition } from "../../src/rpc/method.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually } from "../../src/testing/index.ts";
import { type Kinds3, Kinds3Schema } from "../protobuf/gen/volant/test/kinds3_pb.ts";
import { call, prefixed } from "../server/support/raw-peer.ts";
import { MemoryPeer } from "./memory-peer.ts";
import { assertUnhurt, type ServerAttack, type ServerOutcome, scene } from "./server-attack.ts";
import { turns } from "./virtual-time.ts";

const OFF = Number.POSITIVE_INFINITY;
const MESSAGE_BYTES = 4_194_304;
const FRAME_BYTES = 16_384;
const REFUSED = /^HEADERS 1 .*grpc-status=8/;
const ANSWERED = /^HEADERS 1 .*grpc-status=0/;
const ENDED = /^HEADERS 1 .*grpc-status=/;

const codec = codecOf(Kinds3Schema) as MethodDefinition["requestCodec"];

const take: MethodDefinition = {
  // The path that raw peers call.
  path: "/volant.test.Lab/Take",
  service: "volant.test.Kinds",
  name: "Take",
  localName: "take",
  kind: "unary",
  idempotency: "UNKNOWN",
  requestCodec: codec,
  responseCodec: codec,
};

const Kinds: ServiceDefinition = { kind: "definition", typeName: take.service, method: { take }, methods: [take] };

/** One call; `look` gets what the handler was given. */
async function send(server: Server, body: Buffer, look: (message: Kinds3) => void): Promise<MemoryPeer> {
  const handler = (message: unknown): object => {
    look(message as Kinds3);
    return {};
  };
  server.add(Kinds, { take: handler } as never);
  const peer = await MemoryPeer.ready(server);
  const compressed = prefixed(gzipSync(body), 1);
  peer.send(call(1, take.name, [["grpc-encoding", "gzip"]]));
  for (let at = 0; at < compressed.length; at += FRAME_BYTES) {
    const frame = frames.data(1, compressed.subarray(at, at + FRAME_BYTES));
    peer.send(at + FRAME_BYTES >= compressed.length ? frame.endStream() : frame);
    // The first frame tells how much is to come, and is granted the rest.
    if (at === 0) await turns();
  }
  await eventually("the answer", () => peer.countOf(ENDED) === 1);
  return peer;
}

/** As often as it fits into the largest message. */
function repeat(part: readonly number[]): Buffer {
  return Buffer.alloc(MESSAGE_BYTES - (MESSAGE_BYTES % part.length)).fill(Buffer.from(part));
}

function played(options: ServerOptions, body: Buffer, countOf: (message: Kinds3) => number): Promise<ServerOutcome> {
  return scene(options, {}, async ({ server }) => {
    let got = 0;
    const peer = await send(server, body, (message) => {
      got = countOf(message);
    });
    if (got === 0 && peer.countOf(REFUSED) !== 1) throw new Error(`not RESOURCE_EXHAUSTED: ${peer.lines.join("; ")}`);
    return { got, counted: server.stats().faults["message-refused"] ?? 0 };
  });
}

function unhurt(options: ServerOptions, body: Buffer): Promise<void> {
  return scene(options, {}, async ({ server }) => {
    const peer = await send(server, body, () => undefined);
    if (peer.countOf(ANSWERED) !== 1) throw new Error(`not answered: ${peer.lines.join("; ")}`);
    assertUnhurt(server);
  });
}

/** As records of people and orders look in JSON. */
function recordOf(index: number): JsonObject {
  return {
    id: index,
    email: `user${index}@example.com`,
    active: index % 3 === 0,
    tags: ["a", "eu-west", `t${index % 50}`],
    address: { street: `Street ${index}`, zip: String(10_000 + index), country: null },
    orders: [{ sku: `S-${index}`, quantity: 2, price: 9.99 }],
  };
}

const emptyMessages: ServerAttack = {
  name: "4 MiB of empty messages, compressed to 6 KiB",
  cve: "none yet: objects for bytes",
  rule: "what a message decodes to is counted while it is decoded: text and messages of lists, entries of maps, each message that is merged; a message with more is refused with RESOURCE_EXHAUSTED",
  options: ["maxDecodedValues 1,048,576"],
  counter: "message-refused",
  unit: "messages in memory",
  allowed: 1_048_576,
  off: { maxDecodedValues: OFF },
  play: (options) => played(options, repeat([0xe2, 0x04, 0]), ({ manyMessage }) => manyMessage.length),
  honest: {
    name: "4 MiB of JSON, 15,000 records of a customer with tags, an address and an order",
    play: () =>
      unhurt(
        {},
        Buffer.from(
          encode(Kinds3Schema, { struct: { records: Array.from({ length: 15_000 }, (_, i) => recordOf(i)) } }),
        ),
      ),
  },
};

const unknownFields: ServerAttack = {
  name: "4 MiB of unknown fields, compressed to 4 KiB, for a server that keeps them",
  cve: "none yet: objects for bytes",
  rule: "unknown fields are dropped unless a server asks for them; those kept are one range of bytes a message, and count two each",
  options: ["unknownFields drop", "maxDecodedValues 1,048,576"],
  counter: "message-refused",
  unit: "unknown fields in memory",
  allowed: 524_288,
  off: { maxDecodedValues: OFF },
  play: (options) =>
    played({ unknownFields: "keep", ...options }, repeat([0xb8, 0x3e, 1]), ({ $unknown }) => $unknown?.length ?? 0),
  honest: {
    name: "4 MiB of a newer version's text fields of ten characters, for a server that keeps unknown fields",
    play: () => unhurt({ unknownFields: "keep" }, repeat([0xba, 0x3e, 10, ...Buffer.from("characters")])),
  },
};

export const OBJECT_ATTACKS: readonly ServerAttack[] = [emptyMessages, unknownFields];
