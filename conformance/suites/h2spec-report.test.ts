import assert from "node:assert/strict";
import { test } from "node:test";
import { parseH2specdOutput, parseH2specReport } from "./h2spec-report.ts";

const JUNIT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="3.1. DATA" package="generic/3.1" id="3.1" tests="4" skipped="1" failures="0" errors="1">
    <testcase package="generic/3.1" classname="Sends a &#34;DATA&#34; frame" time="0.0011"></testcase>
    <testcase package="generic/3.1" classname="Sends padding" time="0.0010">
      <error>Expect:&#xA;GOAWAY Frame&#xA;Actual:&#xA;Timeout</error>
    </testcase>
    <testcase package="generic/3.1" classname="Sends nothing" time="0.0010">
      <skipped></skipped>
    </testcase>
    <testcase package="generic/3.1" classname="Sends padding" time="0.0010"/>
    <testcase package="generic/3.1" classname="Sends more" time="0.0010"><failure></failure></testcase>
  </testsuite>
</testsuites>`;

test("an h2spec report becomes cases, with reasons and one name each", () => {
  assert.deepEqual(parseH2specReport(JUNIT), [
    { name: 'generic/3.1 Sends a "DATA" frame', outcome: "passed" },
    { name: "generic/3.1 Sends padding", outcome: "failed", detail: "Expect: GOAWAY Frame Actual: Timeout" },
    { name: "generic/3.1 Sends nothing", outcome: "skipped", detail: "by h2spec" },
    { name: "generic/3.1 Sends padding (2)", outcome: "passed" },
    { name: "generic/3.1 Sends more", outcome: "failed", detail: "no reason given" },
  ]);
});

const SPECD = `Generic tests for HTTP/2 client
  1. Starting HTTP/2
    ✔ 1: Sends a server connection preface

  6. Frame Definitions
    6.9. WINDOW_UPDATE
      6.9.1. The Flow-Control Window
        × 1: Sends too many WINDOW_UPDATE frames
          -> The endpoint MUST close the connection.
             Expected: GOAWAY Frame (Error Code: FLOW_CONTROL_ERROR)
               Actual: Timeout
        ✔ 2: Sends one
        3: Sends none
`;

const SPECD_CASES = [
  { name: "1 1: Sends a server connection preface", outcome: "passed" },
  {
    name: "6.9.1 1: Sends too many WINDOW_UPDATE frames",
    outcome: "failed",
    detail:
      "-> The endpoint MUST close the connection. Expected: GOAWAY Frame (Error Code: FLOW_CONTROL_ERROR) Actual: Timeout",
  },
  { name: "6.9.1 2: Sends one", outcome: "passed" },
  { name: "6.9.1 3: Sends none", outcome: "skipped", detail: "by h2specd" },
];

test("h2specd's text becomes cases; the list of failures at its end adds none", () => {
  const repeated = "Failures: \n\n6. Frame Definitions\n  × 1: Sends too many WINDOW_UPDATE frames\n";
  const text = `${SPECD}\n${repeated}Finished in 3.1 seconds\n4 tests, 2 passed, 1 skipped, 1 failed\n`;
  assert.deepEqual(parseH2specdOutput(text), SPECD_CASES);
});

test("an h2specd that gives up is a failure, whatever passed before", () => {
  assert.deepEqual(parseH2specdOutput(`${SPECD}\nError: Timeout\n`).slice(4), [
    { name: "6.9.1 the case after the last one shown", outcome: "failed", detail: "Error: Timeout" },
  ]);
});
