// Owns: `docs/details.md`: the forty details of gRPC over HTTP/2, and the tests whose names carry each number.
// Must not know: how names are collected (spec-test-names.ts).
// Invariant: the same details and names give the same text.

import { GRPC_DETAILS, type GrpcDetail, type Side } from "./grpc-details-rules.ts";
import type { TestName } from "./spec-test-names.ts";

export const DETAILS_FILE = "docs/details.md";

/** Where tests of gRPC are, from the library's folder. */
export const GRPC_TEST_FILES: readonly string[] = [
  "src/{grpc,rpc,stream,server,client,compression,transport}/**/*.test.ts",
  "test/{client,server,protocol,compression,stream}/**/*.test.ts",
];

export interface PinnedDetail {
  readonly detail: GrpcDetail;
  readonly tests: readonly TestName[];
  /** Sides that the rule concerns and no test does. */
  readonly missing: readonly Side[];
}

/** The numbers that a name carries: `gRPC detail 8: …`, `gRPC detail 31, 37: …`. */
export function numbersOf(name: string): number[] {
  const list = /gRPC detail (\d+(?:, \d+)*):/.exec(name)?.[1] ?? "";
  return list === "" ? [] : list.split(", ").map(Number);
}

/** Code that is neither client nor server serves both. */
export function sideOf(file: string): Side {
  if (/\/client\//.test(file)) return "client";
  return /\/(server|protocol)\//.test(file) ? "server" : "both";
}

export function pinDetails(names: readonly TestName[], details: readonly GrpcDetail[] = GRPC_DETAILS): PinnedDetail[] {
  return details.map((detail) => {
    const tests = names.filter(({ name }) => numbersOf(name).includes(detail.number));
    const sides = new Set(tests.map(({ file }) => sideOf(file)));
    const wanted: Side[] = detail.side === "both" ? ["client", "server"] : [detail.side];
    return { detail, tests, missing: wanted.filter((side) => !sides.has(side) && !sides.has("both")) };
  });
}

/** Numbers that tests carry and no detail has. */
export function unknownNumbers(names: readonly TestName[]): number[] {
  return names.flatMap(({ name }) => numbersOf(name)).filter((number) => GRPC_DETAILS[number - 1] === undefined);
}

export function renderDetails(names: readonly TestName[]): string {
  const pinned = pinDetails(names);
  const open = pinned.filter(({ missing }) => missing.length > 0);
  return [
    "# Forty details of gRPC over HTTP/2",
    "",
    "What official suites and other implementations hold a peer to, in our own words, and the tests that hold us to it. A test",
    "names the details it is about: `gRPC detail 8: …`. Sources: gRPC PROTOCOL-HTTP2, statuscodes, compression and",
    "http-grpc-status-mapping; the gRFCs named; RFC 9113.",
    "",
    "This file is written by `npm run spec`; a test fails when it is not up to date, or when a detail has no test on a side",
    "that it concerns.",
    "",
    `${pinned.length} details: ${pinned.length - open.length} have tests on every side they concern.`,
    "",
    "| | Side | Rule | Source | Tests |",
    "| --- | --- | --- | --- | --- |",
    ...pinned.map(
      ({ detail: { number, side, rule, source }, tests }) =>
        `| ${number} | ${side} | ${rule} | ${source} | [${tests.length}](#${number}) |`,
    ),
    ...pinned.flatMap(({ detail, tests }) => ["", `## ${detail.number}`, "", ...tests.map(testLine)]),
    "",
  ].join("\n");
}

function testLine({ file, name }: TestName): string {
  return `- ${name.replace(/gRPC detail [\d, ]+: /, "")} (\`${file}\`)`;
}
