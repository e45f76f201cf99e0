/** Each malformed response ends its call with the status that the specifications give, and the connection serves the next. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { MALFORMED_RESPONSES, MAX_RESPONSE_BYTES } from "./malformed-responses.ts";
import { MALFORMED_RESPONSES_FILE, renderResponses, responseTestName } from "./malformed-responses-document.ts";
import { failure, withPeer } from "./support/harness.ts";
import { firstRequest } from "./support/retrying.ts";

for (const response of MALFORMED_RESPONSES) {
  test(responseTestName(response), async (t) => {
    const { peer, client } = await withPeer(t, { maxReceiveMessageBytes: MAX_RESPONSE_BYTES });
    const call = client.unary({ value: "a" }, { onTrailers: () => undefined });
    call.catch(() => undefined);
    const connection = await firstRequest(peer);
    connection.write(...response.frames(1));
    await failure(call, response.code);
    const next = client.unary({ value: "next" });
    await connection.sees(/^DATA 3 .*end/);
    connection.answer(3, "served");
    assert.equal((await next).value, "served");
  });
}

test("no two malformed responses have the same name", () => {
  assert.equal(new Set(MALFORMED_RESPONSES.map(responseTestName)).size, MALFORMED_RESPONSES.length);
});

test("docs/malformed-responses.md is what the list says; malformed-responses-document.ts writes it anew", () => {
  assert.equal(readFileSync(MALFORMED_RESPONSES_FILE, "utf8"), renderResponses());
});
