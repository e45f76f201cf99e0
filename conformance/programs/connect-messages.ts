/**
 * What the programs of connectrpc's conformance suite share: size-prefixed messages on standard input and output, and its
 * notation for metadata. Must not know calls.
 *
 * Every message is preceded by its length as four octets, big-endian. Values of "-bin" metadata are base64 in messages.
 */
import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Metadata } from "volant";
import { type Header, HeaderSchema } from "../gen/connectrpc/conformance/v1/service_pb.ts";

const PREFIX_BYTES = 4;

/** The messages of `input`, until it ends. */
export async function* readMessages<Desc extends DescMessage>(
  schema: Desc,
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<MessageShape<Desc>, void> {
  let rest = Buffer.alloc(0);
  for await (const chunk of input) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= PREFIX_BYTES) {
      const end = PREFIX_BYTES + rest.readUInt32BE();
      if (rest.length < end) break;
      yield fromBinary(schema, rest.subarray(PREFIX_BYTES, end));
      rest = rest.subarray(end);
    }
  }
}

export function writeMessage<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): void {
  const octets = toBinary(schema, message);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(octets.length);
  process.stdout.write(Buffer.concat([prefix, octets]));
}

export function toMetadata(headers: readonly Header[]): Metadata {
  const metadata = new Metadata();
  for (const { name, value: values } of headers) {
    const isBinary = name.toLowerCase().endsWith("-bin");
    for (const value of values) metadata.append(name, isBinary ? Buffer.from(value, "base64") : value);
  }
  return metadata;
}

export function toHeaders(metadata: Metadata): Header[] {
  const names = Map.groupBy(metadata, ([name]) => name);
  return [...names].map(([name, entries]) =>
    create(HeaderSchema, { name, value: entries.map(([, value]) => text(value)) }),
  );
}

/** Base64 goes without padding there, as in gRPC's header fields. */
function text(value: string | Uint8Array): string {
  return typeof value === "string" ? value : Buffer.from(value).toString("base64").replaceAll("=", "");
}
