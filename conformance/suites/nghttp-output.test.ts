import assert from "node:assert/strict";
import { test } from "node:test";
import { parseH2load, parseNghttpTrace } from "./nghttp-output.ts";

const ESCAPE = String.fromCharCode(27);

test("an nghttp trace gives the header blocks and the length of the data that arrived, not what was sent", () => {
  const trace = [
    `${ESCAPE}[1m[  0.001]${ESCAPE}[0m send HEADERS frame <length=39, flags=0x25, stream_id=13>`,
    "          :method: POST",
    "[  0.001] send DATA frame <length=900, flags=0x00, stream_id=13>",
    "[  0.002] recv (stream_id=13) :status: 200",
    "[  0.002] recv (stream_id=13) content-type: text/plain; a: b",
    "[  0.002] recv HEADERS frame <length=21, flags=0x04, stream_id=13>",
    "[  0.003] recv DATA frame <length=600, flags=0x00, stream_id=13>",
    "[  0.003] recv DATA frame <length=300, flags=0x00, stream_id=13>",
    `[  0.004] recv (stream_id=13) ${ESCAPE}[1;34mx-sum${ESCAPE}[0m: 7`,
    "[  0.004] recv HEADERS frame <length=9, flags=0x05, stream_id=13>",
  ].join("\n");
  assert.deepEqual(parseNghttpTrace(trace), {
    headers: [{ ":status": "200", "content-type": "text/plain; a: b" }, { "x-sum": "7" }],
    dataBytes: 900,
  });
});

test("h2load's summary gives what was started and what succeeded; without one there is an error", () => {
  const text = "finished in 1s\nrequests: 10 total, 10 started, 9 done, 8 succeeded, 2 failed, 1 errored, 0 timeout\n";
  assert.deepEqual(parseH2load(text), { started: 10, succeeded: 8 });
  assert.throws(() => parseH2load("could not connect"), /no summary: could not connect/);
});
