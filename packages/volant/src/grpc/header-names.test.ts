import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderName, isProtocolName, isReservedName } from "./header-names.ts";

test("gRPC detail 18: pseudo-headers, grpc-* and the transport's own names are reserved", () => {
  const names = [
    ":path",
    ":anything",
    "grpc-status",
    "grpc-future-word",
    "te",
    "content-type",
    "content-length",
    "user-agent",
  ];
  for (const name of [...names, "connection", "host", "transfer-encoding"])
    assert.equal(isReservedName(name), true, name);
});

test("gRPC detail 39: an application may set its retry pushback and the tracing contexts", () => {
  for (const name of [
    HeaderName.RETRY_PUSHBACK,
    "grpc-trace-bin",
    "grpc-tags-bin",
    "authorization",
    "cookie",
    "x-grpc-status",
  ]) {
    assert.equal(isReservedName(name), false, name);
  }
});

test("what the receiving application sees beside its own names: user-agent and the retry headers", () => {
  for (const name of [HeaderName.USER_AGENT, HeaderName.PREVIOUS_RPC_ATTEMPTS, HeaderName.RETRY_PUSHBACK]) {
    assert.equal(isProtocolName(name), false, name);
  }
  for (const name of [":path", "te", "grpc-timeout", "grpc-status-details-bin", "grpc-accept-encoding"]) {
    assert.equal(isProtocolName(name), true, name);
  }
});

test("every protocol name is reserved too, so that nothing hidden on receipt can be sent", () => {
  for (const name of Object.values(HeaderName))
    if (isProtocolName(name)) assert.equal(isReservedName(name), true, name);
});
