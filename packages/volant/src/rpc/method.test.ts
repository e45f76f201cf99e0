import assert from "node:assert/strict";
import { test } from "node:test";
import { Lab } from "../../test/gen/lab_pb.ts";
import { hasRequestStream, hasResponseStream, methodsOf } from "./method.ts";

test("a service becomes its methods, once, in the order of the proto", () => {
  const methods = methodsOf(Lab);
  assert.deepEqual(
    methods.map(({ path, localName, kind, idempotency }) => [path, localName, kind, idempotency]),
    [
      ["/volant.test.Lab/Unary", "unary", "unary", "NO_SIDE_EFFECTS"],
      ["/volant.test.Lab/Download", "download", "server_streaming", "IDEMPOTENT"],
      ["/volant.test.Lab/Upload", "upload", "client_streaming", "UNKNOWN"],
      ["/volant.test.Lab/Chat", "chat", "bidi_streaming", "UNKNOWN"],
    ],
  );
  assert.equal(methodsOf(Lab), methods);
});

test("which sides stream", () => {
  const kinds = ["unary", "client_streaming", "server_streaming", "bidi_streaming"] as const;
  assert.deepEqual(kinds.map(hasRequestStream), [false, true, false, true]);
  assert.deepEqual(kinds.map(hasResponseStream), [false, false, true, true]);
});
