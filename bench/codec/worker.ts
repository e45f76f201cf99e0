// Owns: one codec in a process of its own, so that no codec runs on the other's type feedback. Takes jobs from its parent: run one
// operation on one shape for a while, answer with operations a second.
// Every shape is decoded and encoded before anything is measured: a process that serves one message type only is not the rule.

import { pathToFileURL } from "node:url";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { codecOf } from "volant/protobuf";
import type { CodecName, Job, Measured } from "./protocol.ts";
import { encodedMessages, SHAPES, type Shape } from "./shapes.ts";

interface Subject {
  readonly encode: (message: unknown) => Uint8Array | number;
  readonly decode: (bytes: Uint8Array) => unknown;
}

const WARM_UP_ROUNDS = 40;
const BATCH_MS = 2;
/** Few enough that no collection comes between the two readings. */
const ALLOCATION_ROUNDS = 16;

const name = process.argv[2] as CodecName;
const peersFile = process.argv[3];

async function subjectOf(shape: Shape): Promise<Subject> {
  const { schema } = shape;
  if (name === "protobuf-es") {
    return { encode: (message) => toBinary(schema, message as never), decode: (bytes) => fromBinary(schema, bytes) };
  }
  if (name === "volant" || name === "volant into a buffer") {
    // The other codecs give views of what they decode.
    const codec = codecOf(schema, { bytes: "view" });
    const target = Buffer.alloc(131_072);
    return {
      encode:
        name === "volant"
          ? (message) => codec.encode(message as never)
          : (message) => codec.encodeInto(message as never, target, 0, target.length),
      decode: (bytes) => codec.decode(bytes as Buffer, 0, bytes.length),
    };
  }
  const { PEERS } = (await import(pathToFileURL(peersFile!).href)) as {
    PEERS: Record<string, () => Promise<(message: string) => Subject>>;
  };
  return (await PEERS[name]!())(schema.name);
}

/** One shape ready to run: `encode` and `decode` do one message of the next variant. */
async function prepare(shape: Shape): Promise<Record<Job["operation"], () => unknown>> {
  const subject = await subjectOf(shape);
  const bytes = encodedMessages(shape).map((encoded) => Buffer.from(encoded));
  const messages = bytes.map((encoded) => subject.decode(encoded));
  verify(shape, subject, bytes, messages);
  let next = 0;
  return {
    encode: () => subject.encode(messages[next++ % messages.length]),
    decode: () => subject.decode(bytes[next++ % bytes.length]!),
  };
}

function verify(shape: Shape, subject: Subject, bytes: readonly Buffer[], messages: readonly unknown[]): void {
  for (const [index, message] of messages.entries()) {
    const encoded = subject.encode(message);
    const length = typeof encoded === "number" ? encoded : encoded.length;
    if (length !== bytes[index]!.length) {
      throw new Error(`${name} encodes ${shape.name} to ${length} octets, there are ${bytes[index]!.length}`);
    }
  }
}

const prepared = new Map<string, Record<Job["operation"], () => unknown>>();
for (const shape of SHAPES) prepared.set(shape.name, await prepare(shape));
for (let round = 0; round < WARM_UP_ROUNDS; round++) {
  for (const { encode, decode } of prepared.values()) {
    for (let count = 0; count < 32; count++) {
      encode();
      decode();
    }
  }
}

process.on("message", ({ shape, operation, durationMs }: Job) => {
  const run = prepared.get(shape)![operation];
  const answer: Measured = { perSecond: measure(run, durationMs), allocatedBytes: measureAllocation(run) };
  process.send!(answer);
});
process.send!("ready");

function measure(run: () => unknown, durationMs: number): number {
  let count = 0;
  let batch = 1;
  const startedAt = performance.now();
  let elapsed = 0;
  while (elapsed < durationMs) {
    const before = elapsed;
    for (let i = 0; i < batch; i++) run();
    count += batch;
    elapsed = performance.now() - startedAt;
    if (elapsed - before < BATCH_MS) batch *= 2;
  }
  return (count / elapsed) * 1_000;
}

function measureAllocation(run: () => unknown): number {
  globalThis.gc?.();
  const before = process.memoryUsage();
  for (let i = 0; i < ALLOCATION_ROUNDS; i++) run();
  const after = process.memoryUsage();
  const bytes = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
  return bytes / ALLOCATION_ROUNDS;
}
