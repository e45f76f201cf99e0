/** Each malformed request gets what the specifications say, tells nobody more, and the connection serves the next call. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RejectedCall } from "../../src/index.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { useServer } from "../../src/testing/index.ts";
import { errorCodeName } from "../../src/transport/http2.ts";
import { withHandlers } from "../server/support/lab-service.ts";
import { call, prefixed, RawPeer } from "../server/support/raw-peer.ts";
import { malformedTestName } from "./malformed-document.ts";
import { MALFORMED_REQUESTS, MAX_MESSAGE_BYTES, type Verdict } from "./malformed-requests.ts";

function assertVerdict(lines: readonly string[], verdict: Verdict): void {
  if ("reset" in verdict) {
    assert.match(lines.join("\n"), new RegExp(`^RST_STREAM \\d+ ${errorCodeName(verdict.reset)}`));
    return;
  }
  const end = lines.find((line) => line.startsWith("HEADERS") && line.includes("grpc-status="))!;
  assert.match(end, new RegExp(`grpc-status=${verdict.code}( |$)`));
  assert.match(end, verdict.says);
  if (verdict.http !== undefined) assert.match(end, new RegExp(`:status=${verdict.http} `));
}

for (const request of MALFORMED_REQUESTS) {
  const { verdict, frames: whole, inOctets = whole } = request;
  test(malformedTestName(request), async (t) => {
    const rejected: RejectedCall[] = [];
    const lab = await useServer(t, withHandlers({}), {
      server: { maxReceiveMessageBytes: MAX_MESSAGE_BYTES, onRejected: (call) => rejected.push(call) },
    });
    const peer = await RawPeer.ready(lab);
    peer.send(...whole(1), ...inOctets(3));
    assertVerdict(await peer.answer(1), verdict);
    assertVerdict(await peer.answer(3), verdict);
    const reachedNoMethod = "http" in verdict;
    assert.equal(rejected.length, reachedNoMethod ? 2 : 0);
    peer.send(call(5, "Unary"), frames.data(5, prefixed(Buffer.alloc(0))).endStream());
    assert.match((await peer.answer(5)).at(-1)!, /grpc-status=0/, "the connection goes on");
  });
}

test("no two malformed requests have the same name", () => {
  assert.equal(new Set(MALFORMED_REQUESTS.map(malformedTestName)).size, MALFORMED_REQUESTS.length);
});
