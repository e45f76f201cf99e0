// Owns: the messages of the codec scenario: ten shapes, each in variants, so that nothing can be remembered by identity or bytes.

import { create, type DescMessage, type Message, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { createUserResponse } from "../user-response.ts";
import {
  BlobSchema,
  IntegersSchema,
  LongsSchema,
  MapsSchema,
  MeasurementsSchema,
  SmallSchema,
  TextsSchema,
  TreeSchema,
  UserListSchema,
  UserResponseSchema,
} from "./gen/shapes_pb.ts";

const VARIANTS = 16;

export interface Shape {
  readonly name: string;
  readonly schema: DescMessage;
  readonly messages: readonly Message[];
}

type User = ReturnType<typeof createUserResponse<bigint>>["user"];

function shape<Desc extends DescMessage>(
  name: string,
  schema: Desc,
  init: (variant: number) => MessageInitShape<Desc>,
): Shape {
  return { name, schema, messages: Array.from({ length: VARIANTS }, (_, variant) => create(schema, init(variant))) };
}

export const SHAPES: readonly Shape[] = [
  shape("small flat", SmallSchema, (n) => ({ id: `user-${10_000 + n}`, page: 3 + n, verbose: true })),
  shape("UserResponse", UserResponseSchema, (n) => createUserResponse(`user-${10_000 + n}`, BigInt)),
  shape("100 users", UserListSchema, (n) => ({
    users: Array.from({ length: 100 }, (_, index) => user(n * 100 + index)),
    totalCount: 1_000 + n,
  })),
  shape("1,000 packed ints", IntegersSchema, (n) => ({
    values: range(1_000, (i) => (i * (n + 3) * 37) % 2 ** (7 + (i % 24))),
  })),
  shape("64-bit heavy", LongsSchema, (n) => ({
    created: 1_763_800_000_000n + BigInt(n),
    updated: 1_763_803_600_000n + BigInt(n),
    hash: 0xf1e2_d3c4_b5a6_9788n - BigInt(n),
    offset: -86_400n - BigInt(n),
    trace: 0x0123_4567_89ab_cdefn + BigInt(n),
    balance: -1_000_000_000_000n - BigInt(n),
    sequence: BigInt(n),
    samples: range(20, (i) => BigInt(i * n) * 1_000_003n),
  })),
  shape("unicode texts", TextsSchema, (n) => ({
    title: `Überblick Nr. ${n} – Zürich 日本`,
    body: `${"Привет, мир. ".repeat(12)}${n}`,
    words: range(8, (i) => `слово${i * n}`),
  })),
  shape("64 KiB bytes", BlobSchema, (n) => ({ name: `blob-${n}`, content: new Uint8Array(65_536).fill(n + 1) })),
  shape("map heavy", MapsSchema, (n) => ({
    labels: Object.fromEntries(range(30, (i) => [`label-${i}`, `value ${i * n}`])),
    readings: Object.fromEntries(range(20, (i) => [i * 7, i * n + 0.5])),
  })),
  shape("deep nesting", TreeSchema, (n) => tree(n, 30)),
  shape("floats", MeasurementsSchema, (n) => ({
    values: range(100, (i) => i * 1.25 + n),
    mean: n + 0.1,
    weight: 0.5,
    checksum: 0xdead_0000 + n,
  })),
];

/** The same content for every codec: what each decodes from these bytes is what it then encodes. */
export function encodedMessages({ schema, messages }: Shape): Uint8Array[] {
  return messages.map((message) => toBinary(schema, message));
}

function user(n: number): User {
  return createUserResponse(`user-${10_000 + n}`, BigInt).user;
}

function tree(n: number, levels: number): MessageInitShape<typeof TreeSchema> {
  const name = `node ${n}.${levels}`;
  return levels === 0 ? { name, depth: 0 } : { name, depth: levels, child: tree(n, levels - 1) };
}

function range<T>(length: number, item: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => item(index));
}
