// Owns: the proof that each of the forty details has a test on the side it concerns, and that a missing one is seen.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  DETAILS_FILE,
  GRPC_TEST_FILES,
  numbersOf,
  pinDetails,
  renderDetails,
  sideOf,
  unknownNumbers,
} from "./grpc-details.ts";
import { GRPC_DETAILS } from "./grpc-details-rules.ts";
import { readTestNames } from "./spec-test-names.ts";

const repository = join(import.meta.dirname, "..");
const names = readTestNames(repository, GRPC_TEST_FILES);

test("docs/details.md is up to date; npm run spec writes it anew", () => {
  assert.equal(readFileSync(join(repository, DETAILS_FILE), "utf8"), renderDetails(names));
});

test("each of the forty details has a test on every side that it concerns", () => {
  assert.equal(GRPC_DETAILS.length, 40);
  const open = pinDetails(names).filter(({ missing }) => missing.length > 0);
  assert.deepEqual(
    open.map(({ detail, missing }) => `${detail.number}: ${missing.join(" and ")}`),
    [],
  );
});

test("no test carries a number that no detail has", () => {
  assert.deepEqual(unknownNumbers(names), []);
});

test("a name carries one number or several", () => {
  assert.deepEqual(numbersOf("gRPC detail 8: a deadline"), [8]);
  assert.deepEqual(numbersOf("unary, sent: gRPC detail 31, 37: a call"), [31, 37]);
  assert.deepEqual(numbersOf("a detail 8: a deadline"), []);
});

test("a detail whose test goes away is missing on the side of that test", () => {
  const [detail] = GRPC_DETAILS;
  const missing = (...files: string[]) =>
    pinDetails(
      files.map((file) => ({ file, name: "gRPC detail 1: a" })),
      [detail!],
    )[0]!.missing;
  assert.deepEqual(missing(), ["client", "server"]);
  assert.deepEqual(missing("test/client/a.test.ts"), ["server"]);
  assert.deepEqual(missing("src/grpc/a.test.ts"), []);
  assert.equal(sideOf("test/protocol/a.test.ts"), "server");
});
