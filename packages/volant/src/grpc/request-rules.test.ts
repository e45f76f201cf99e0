import assert from "node:assert/strict";
import { test } from "node:test";
import { checkRequest, checkTimeout } from "./request-rules.ts";
import { StatusCode } from "./status-code.ts";

test("a POST with a gRPC content type and te: trailers goes on", () => {
  assert.equal(checkRequest("POST", "application/grpc", "trailers"), undefined);
  assert.equal(checkRequest("POST", "application/grpc+proto", "Trailers"), undefined);
});

test("gRPC detail 21: the absence of te is tolerated, another value is not", () => {
  assert.equal(checkRequest("POST", "application/grpc", undefined), undefined);
  assert.equal(checkRequest("POST", "application/grpc", "gzip")?.httpStatus, 400);
});

test("gRPC detail 21: another method is 405 and INTERNAL", () => {
  for (const method of ["GET", "post", "PUT", undefined]) {
    const refusal = checkRequest(method, "application/grpc", "trailers");
    assert.equal(refusal?.httpStatus, 405);
    assert.equal(refusal.grpcStatus, StatusCode.INTERNAL);
  }
});

test("gRPC detail 20: another content type is 415, and the message says what came", () => {
  assert.equal(checkRequest("POST", undefined, "trailers")?.httpStatus, 415);
  const refusal = checkRequest("POST", "application/grpcfoo", "trailers");
  assert.equal(refusal?.httpStatus, 415);
  assert.match(refusal.message, /"application\/grpcfoo"/);
});

test("gRPC detail 20: a codec other than proto is UNIMPLEMENTED: its messages are not read as protobuf", () => {
  for (const type of ["application/grpc+json", "application/grpc+foo; a=b"]) {
    const refusal = checkRequest("POST", type, "trailers");
    assert.equal(refusal?.httpStatus, 200);
    assert.equal(refusal.grpcStatus, StatusCode.UNIMPLEMENTED);
  }
  for (const type of ["Application/GRPC+Proto", "application/grpc; a=b"]) {
    assert.equal(checkRequest("POST", type, "trailers"), undefined);
  }
});

test("gRPC detail 6: a malformed grpc-timeout is 400 and INTERNAL; none and a good one go on", () => {
  for (const timeout of [undefined, "1n", "100m"]) assert.equal(checkTimeout(timeout), undefined);
  const refusal = checkTimeout("soon");
  assert.equal(refusal?.httpStatus, 400);
  assert.equal(refusal.grpcStatus, StatusCode.INTERNAL);
});

test("gRPC detail 6: a timeout of zero is legal and has passed, in every unit", () => {
  for (const unit of "HMSmun") {
    const refusal = checkTimeout(`0${unit}`);
    assert.equal(refusal?.httpStatus, 200);
    assert.equal(refusal.grpcStatus, StatusCode.DEADLINE_EXCEEDED);
  }
});

test("a refusal quotes at most 64 characters of what the peer sent", () => {
  for (const length of [64, 65, 10_000]) {
    const message = checkRequest("POST", "x".repeat(length), undefined)?.message ?? "";
    assert.equal(message.match(/x{2,}/)?.[0].length, 64);
    assert.equal(message.includes("…"), length > 64);
  }
});
