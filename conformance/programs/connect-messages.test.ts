import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Header, HeaderSchema } from "../gen/connectrpc/conformance/v1/service_pb.ts";
import { readMessages, toHeaders, toMetadata } from "./connect-messages.ts";

const header = (name: string, ...value: string[]): Header => create(HeaderSchema, { name, value });

test("messages are read whole, whatever pieces they arrive in", async () => {
  const sent = [header("a", "1"), header(""), header("b", "x".repeat(300))];
  const octets = Buffer.concat(
    sent.map((message) => {
      const bytes = toBinary(HeaderSchema, message);
      const prefix = Buffer.alloc(4);
      prefix.writeUInt32BE(bytes.length);
      return Buffer.concat([prefix, bytes]);
    }),
  );
  for (const size of [1, 3, 7, octets.length]) {
    async function* pieces() {
      for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
    }
    const received: Header[] = [];
    for await (const message of readMessages(HeaderSchema, pieces())) received.push(message);
    assert.deepEqual(received, sent);
  }
});

test("metadata keeps order and repetition, and its binary values are base64 without padding", () => {
  const headers = [header("x-a", "1", "2"), header("x-b-bin", "AAE"), header("x-c", "")];
  assert.deepEqual([...(toMetadata(headers).get("x-b-bin") ?? [])], [0, 1]);
  assert.deepEqual(toHeaders(toMetadata(headers)), headers);
});
