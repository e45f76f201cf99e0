import assert from "node:assert/strict";
import { test } from "node:test";
import { contentSubtype, isGrpcContentType } from "./content-type.ts";

test("gRPC detail 20: application/grpc alone, with +codec or with ;parameters is gRPC", () => {
  const values = [
    "application/grpc",
    "application/grpc+proto",
    "application/grpc+json",
    "application/grpc;charset=utf-8",
  ];
  for (const value of [...values, "application/grpc ; a=b", "application/grpc+proto;a=b", "Application/GRPC+Proto"]) {
    assert.equal(isGrpcContentType(value), true, value);
  }
});

test("gRPC detail 20: neighbours are not", () => {
  const values = [
    "application/grpcfoo",
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/json",
    "text/html",
  ];
  for (const value of [
    ...values,
    "",
    "application/grp",
    "xapplication/grpc",
    "text/plain;application/grpc",
    undefined,
  ]) {
    assert.equal(isGrpcContentType(value), false, String(value));
  }
});

test("the subtype names the codec", () => {
  assert.equal(contentSubtype("application/grpc"), "");
  assert.equal(contentSubtype("application/grpc; a=b+c"), "");
  assert.equal(contentSubtype("application/grpc+JSON; a=b"), "json");
  assert.equal(contentSubtype("application/json"), undefined);
});
