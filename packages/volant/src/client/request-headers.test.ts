import assert from "node:assert/strict";
import { test } from "node:test";
import { Metadata } from "../rpc/metadata.ts";
import { Indexing } from "../transport/http2.ts";
import { constantFields, requestFields } from "./request-headers.ts";

const CONSTANT = constantFields("/user.UserService/GetUser", "users:50051", "agent/1", "identity,gzip");

test("PROTOCOL-HTTP2 Requests: the fields of every call, pseudo-headers first, may be indexed", () => {
  assert.deepEqual(
    CONSTANT.map(({ name, value }) => `${name}=${value}`),
    [
      ":method=POST",
      ":scheme=http",
      ":path=/user.UserService/GetUser",
      ":authority=users:50051",
      "te=trailers",
      "content-type=application/grpc",
      "user-agent=agent/1",
      "grpc-accept-encoding=identity,gzip",
    ],
  );
  assert.ok(CONSTANT.every(({ indexing }) => indexing === Indexing.INCREMENTAL));
});

test("RFC 9113 §8.3.1 a channel with TLS says https", () => {
  const fields = constantFields("/a.B/C", "users:443", "agent/1", "identity", "https");
  assert.deepEqual(fields[1], { name: ":scheme", value: "https", indexing: Indexing.INCREMENTAL });
});

test("a call without deadline, metadata and compression costs no list", () => {
  assert.equal(requestFields(CONSTANT, Number.POSITIVE_INFINITY, undefined), CONSTANT);
});

test("PROTOCOL-HTTP2 Message-Encoding: the encoding of the messages repeats, and may be indexed", () => {
  const fields = requestFields(CONSTANT, Number.POSITIVE_INFINITY, undefined, "gzip");
  assert.deepEqual(fields.at(-1), { name: "grpc-encoding", value: "gzip", indexing: Indexing.INCREMENTAL });
});

test("deadline and metadata follow; neither is ever inserted, and credentials by nobody on the way", () => {
  const metadata = Metadata.from({
    "x-tenant": "a",
    authorization: "Bearer t",
    cookie: "c",
    "trace-bin": Uint8Array.of(1),
  });
  const added = requestFields(CONSTANT, 250, metadata).slice(CONSTANT.length);
  assert.deepEqual(
    added.map(({ name, value, indexing }) => [name, value, indexing]),
    [
      ["grpc-timeout", "250m", Indexing.WITHOUT],
      ["x-tenant", "a", Indexing.WITHOUT],
      ["authorization", "Bearer t", Indexing.NEVER],
      ["cookie", "c", Indexing.NEVER],
      ["trace-bin", "AQ", Indexing.WITHOUT],
    ],
  );
  assert.equal(CONSTANT.length, 8);
});
