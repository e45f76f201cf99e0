// Owns: what is read from h2load's report, and which reports do not count.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createArguments, findProblem, parseReport } from "./h2load.ts";

const REPORT = `starting benchmark...
spawning thread #0: 10 total client(s). 2000 total requests
Application protocol: h2c
progress: 100% done

finished in 214.61ms, 9319.20 req/s, 1.71MB/s
requests: 2000 total, 2000 started, 2000 done, 1998 succeeded, 2 failed, 1 errored, 3 timeout
status codes: 1998 2xx, 1 3xx, 4 4xx, 5 5xx
traffic: 375.39KB (384400) total, 20.08KB (20560) headers (space savings 94.14%), 292.97KB (300000) data
                     min         max         mean         sd        +/- sd
time for request:    11.28ms    174.85ms     92.52ms     34.19ms    66.20%
req/s           :     933.62     1096.46      996.51       49.71    70.00%
`;

const complete = parseReport(
  REPORT.replace(
    "1998 succeeded, 2 failed, 1 errored, 3 timeout",
    "2000 succeeded, 0 failed, 0 errored, 0 timeout",
  ).replace("1998 2xx, 1 3xx, 4 4xx, 5 5xx", "2000 2xx, 0 3xx, 0 4xx, 0 5xx"),
);

test("the numbers of a report are read from their places", () => {
  assert.deepEqual(parseReport(REPORT), {
    requestsPerSecond: 9319.2,
    total: 2000,
    succeeded: 1998,
    failed: 2,
    errored: 1,
    timedOut: 3,
    statuses: [1998, 1, 4, 5],
    dataBytes: 300_000,
  });
});

test("a report without its numbers is an error that shows it", () => {
  assert.throws(() => parseReport("connect: refused"), /nothing that matches[\s\S]*connect: refused/);
});

test("a report counts only if every call succeeded and brought a whole answer", () => {
  assert.equal(findProblem(complete, 2000, 150), undefined);
  assert.match(findProblem({ ...complete, failed: 1 }, 2000, 150) ?? "", /1 calls failed/);
  assert.match(findProblem({ ...complete, errored: 1 }, 2000, 150) ?? "", /1 errored/);
  assert.match(findProblem({ ...complete, succeeded: 1999 }, 2000, 150) ?? "", /1999 of 2000/);
  assert.match(findProblem({ ...complete, statuses: [1999, 0, 0, 1] }, 2000, 150) ?? "", /1999 with an HTTP status/);
});

test("answers that are shorter than expected are seen, whatever their HTTP status", () => {
  assert.match(findProblem({ ...complete, dataBytes: 0 }, 2000, 150) ?? "", /0 bytes of DATA came back/);
  assert.match(findProblem(complete, 2000, 151) ?? "", /would be 302000/);
});

test("the command line asks for gRPC on one thread", () => {
  const target = { port: 5000, path: "/a.B/C", body: new Uint8Array(5), answerBytes: 5 };
  const line = createArguments(target, { connections: 10, streams: 100 }, 700, "body").join(" ");
  assert.match(line, /-n 700 -c 10 -m 100 -t 1 /);
  assert.match(line, /-H te: trailers -H content-type: application\/grpc -d body http:\/\/127\.0\.0\.1:5000\/a\.B\/C$/);
});
