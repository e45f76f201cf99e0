/** Assertions about RpcErrors: code, text, and the fields that a BadRequest names. */

import assert from "node:assert/strict";
import { RpcError, type StatusCode } from "volant";
import { BadRequestSchema } from "volant/errors";

export interface ExpectedFault {
  readonly code: StatusCode;
  readonly message?: string | RegExp;
  /** Fields of the BadRequest detail, in order. */
  readonly fields?: readonly string[];
}

/** For `assert.throws` and `assert.rejects`. */
export function fault(expected: ExpectedFault): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof RpcError, `not an RpcError: ${String(error)}`);
    assert.equal(error.code, expected.code, `${error.codeName}: ${error.message}`);
    if (typeof expected.message === "string") assert.equal(error.message, expected.message);
    else if (expected.message !== undefined) assert.match(error.message, expected.message);
    if (expected.fields !== undefined) {
      const violations = error.detail(BadRequestSchema)?.fieldViolations ?? [];
      assert.deepEqual(
        violations.map(({ field }) => field),
        expected.fields,
      );
    }
    return true;
  };
}
