/**
 * Our bytes in other hands: protobufjs and Python's protobuf read them, write them again, and we read back what we wrote.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { type DescFile, type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { decode, encode } from "volant/protobuf";
import { Kinds2Schema, RequiredSchema } from "./gen/volant/test/kinds2_pb.ts";
import { Kinds3Schema } from "./gen/volant/test/kinds3_pb.ts";
import { MixedSchema } from "./gen/volant/test/mixed_pb.ts";
import { Random } from "./random.ts";
import { randomMessage } from "./random-message.ts";

const MESSAGES = 200;

interface ProtobufJs {
  Root: new () => {
    resolvePath: (origin: string, target: string) => string;
    loadSync(file: string): { resolveAll(): void };
    lookupType(name: string): {
      decode(bytes: Uint8Array): unknown;
      encode(message: unknown): { finish(): Uint8Array };
    };
  };
}

function randomMessages(schema: DescMessage): Message[] {
  return Array.from({ length: MESSAGES }, (_, seed) => randomMessage(schema, new Random(seed)));
}

test("protobufjs reads what we write, and we what it writes", () => {
  // The copy that proto-loader has: no dependency of ours.
  const load = createRequire(import.meta.resolve("@grpc/proto-loader"));
  const protobufjs = load("protobufjs") as ProtobufJs;
  const root = new protobufjs.Root();
  const folder = join(import.meta.dirname, "proto");
  root.resolvePath = (_, target) => (target.startsWith("google/protobuf/") ? target : join(folder, target));
  root.loadSync("volant/test/kinds3.proto").resolveAll();
  const type = root.lookupType(Kinds3Schema.typeName);
  let compared = 0;
  for (const message of randomMessages(Kinds3Schema)) {
    const bytes = encode(Kinds3Schema, message as never);
    if (isBeyondProtobufjs(message)) continue;
    const theirs = type.encode(type.decode(bytes)).finish();
    assert.deepStrictEqual(decode(Kinds3Schema, theirs), decode(Kinds3Schema, bytes));
    compared++;
  }
  assert.ok(compared > MESSAGES / 4, `only ${compared} of ${MESSAGES} messages could be compared`);
});

/** It drops unknown fields and, for safety, the key "__proto__"; 64-bit and false keys of a map do not survive in it. */
function isBeyondProtobufjs(value: unknown): boolean {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return false;
  return Object.entries(value).some(
    ([key, inner]) => /^(\$unknown|__proto__)$/.test(key) || hasLostKeys(key, inner) || isBeyondProtobufjs(inner),
  );
}

function hasLostKeys(key: string, value: unknown): boolean {
  return /^by([A-Z][a-z]+64|Bool)$/.test(key) && Object.keys(value as object).length > 0;
}

const PYTHON = `
import base64, json, sys
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
job = json.load(sys.stdin)
pool = descriptor_pool.DescriptorPool()
for file in job["files"]:
    pool.Add(descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(file)))
answers = []
for case in job["cases"]:
    message = message_factory.GetMessageClass(pool.FindMessageTypeByName(case["type"]))()
    message.ParseFromString(base64.b64decode(case["bytes"]))
    answers.append(base64.b64encode(message.SerializeToString()).decode())
json.dump(answers, sys.stdout)
`;

test("Python's protobuf reads what we write, and we what it writes", (t) => {
  const probe = spawnSync("python3", ["-c", "import google.protobuf.message_factory as f; f.GetMessageClass"]);
  if (probe.status !== 0) {
    t.skip("python3 with the package protobuf (5 or later) is not installed");
    return;
  }
  const schemas = [Kinds3Schema, Kinds2Schema, MixedSchema, RequiredSchema];
  const files = [...new Set(schemas.flatMap(({ file }) => withDependencies(file)))];
  const cases = schemas.flatMap((schema) =>
    randomMessages(schema).map((message) => ({ schema, bytes: Buffer.from(encode(schema, message as never)) })),
  );
  const job = {
    files: files.map(({ proto }) => Buffer.from(toBinary(FileDescriptorProtoSchema, proto)).toString("base64")),
    cases: cases.map(({ schema, bytes }) => ({ type: schema.typeName, bytes: bytes.toString("base64") })),
  };
  const python = spawnSync("python3", ["-c", PYTHON], {
    input: JSON.stringify(job),
    maxBuffer: 2 ** 28,
    encoding: "utf8",
  });
  assert.equal(python.status, 0, python.stderr);
  const answers = JSON.parse(python.stdout) as string[];
  for (const [index, { schema, bytes }] of cases.entries()) {
    const theirs = Buffer.from(answers[index]!, "base64");
    assert.deepStrictEqual(decode(schema, theirs), decode(schema, bytes), `${schema.typeName}, message ${index}`);
  }
});

function withDependencies(file: DescFile): DescFile[] {
  return [...file.dependencies.flatMap(withDependencies), file];
}
