/**
 * A service with one method of each kind, for tests. Owns its descriptor and the octets of its messages; every message is
 * a google.protobuf.StringValue.
 */
import { create, createFileRegistry, type DescService, toBinary } from "@bufbuild/protobuf";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import { FileDescriptorSetSchema, file_google_protobuf_wrappers, StringValueSchema } from "@bufbuild/protobuf/wkt";
import type { Handlers } from "../../../src/server/handlers.ts";

type Method<Kind extends "unary" | "server_streaming" | "client_streaming" | "bidi_streaming"> = {
  methodKind: Kind;
  input: typeof StringValueSchema;
  output: typeof StringValueSchema;
};

export type EchoMethods = {
  unary: Method<"unary">;
  download: Method<"server_streaming">;
  upload: Method<"client_streaming">;
  chat: Method<"bidi_streaming">;
};

const TYPE = ".google.protobuf.StringValue";

function methodOf(name: string, clientStreaming: boolean, serverStreaming: boolean) {
  return { name, inputType: TYPE, outputType: TYPE, clientStreaming, serverStreaming };
}

const registry = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      file_google_protobuf_wrappers.proto,
      {
        name: "test/echo.proto",
        package: "test",
        syntax: "proto3",
        dependency: ["google/protobuf/wrappers.proto"],
        service: [
          {
            name: "Echo",
            method: [
              methodOf("Unary", false, false),
              methodOf("Download", false, true),
              methodOf("Upload", true, false),
              methodOf("Chat", true, true),
            ],
          },
        ],
      },
    ],
  }),
);

export const EchoService: GenService<EchoMethods> = registry.getService(
  "test.Echo",
) as DescService as GenService<EchoMethods>;

export type EchoHandlers = Handlers<typeof EchoService>;

/** Unary echoes; download sends as many letters as the request says; upload joins; chat answers each with `re:`. */
export const echoHandlers: EchoHandlers = {
  unary: ({ value }) => ({ value }),
  async *download({ value }) {
    for (let at = 0; at < Number(value); at++) yield { value: String(at) };
  },
  async upload(requests) {
    const parts: string[] = [];
    for await (const { value } of requests) parts.push(value);
    return { value: parts.join(",") };
  },
  async *chat(requests) {
    for await (const { value } of requests) yield { value: `re:${value}` };
  },
};

/** A length-prefixed message, as it stands in DATA. */
export function messageBytes(value: string): Buffer {
  const body = toBinary(StringValueSchema, create(StringValueSchema, { value }));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

/** A message that no encoder can read. */
export const UNENCODABLE: { value: string } = {
  get value(): string {
    throw new Error("unreadable field");
  },
};
