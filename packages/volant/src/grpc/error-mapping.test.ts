import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../http2/error-code.ts";
import { statusFromErrorCode } from "./error-mapping.ts";
import { type StatusName, statusName } from "./status-code.ts";

test("gRPC detail 24: RST_STREAM codes map as the table says, INTERNAL where it is silent", () => {
  const others: Partial<Record<keyof typeof ErrorCode, StatusName>> = {
    REFUSED_STREAM: "UNAVAILABLE",
    CANCEL: "CANCELLED",
    ENHANCE_YOUR_CALM: "RESOURCE_EXHAUSTED",
    INADEQUATE_SECURITY: "PERMISSION_DENIED",
  };
  for (const [name, code] of Object.entries(ErrorCode)) {
    const expected = others[name as keyof typeof ErrorCode] ?? "INTERNAL";
    assert.equal(statusName(statusFromErrorCode(code)), expected, name);
  }
});

test("RFC 9113 §7 a code that no specification defines is INTERNAL", () => {
  for (const code of [14, 255, 0xffff_ffff]) assert.equal(statusName(statusFromErrorCode(code)), "INTERNAL");
});
