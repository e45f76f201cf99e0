// Owns: the options of `npm run bench`, and what is said about wrong ones.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseAgainstScenarios, readCommandLine } from "./command-line.ts";

const NAMES = ["unary-server", "unary-client", "floods"];
const read = (...args: string[]) => readCommandLine(args, NAMES);

test("without options every scenario runs against its peers, seven pairs each", () => {
  const { scenarios, pairs, durationSeconds, against, transports, seconds } = read();
  assert.deepEqual([scenarios, pairs, durationSeconds, against, seconds], [undefined, 7, 2.5, [], undefined]);
  assert.deepEqual(transports, ["cleartext", "tls"]);
});

test("a comparison with a revision takes fifteen pairs and both scenarios unless told otherwise", () => {
  const both = read("--against", "main");
  assert.deepEqual([both.against, both.pairs], [["main"], 15]);
  assert.deepEqual(chooseAgainstScenarios(both), ["unary-server", "unary-client"]);
  const one = read("--against", "main,baseline", "--scenario", "unary-client", "--pairs", "30", "--json", "f");
  assert.deepEqual([one.against, one.pairs, one.jsonFile], [["main", "baseline"], 30, "f"]);
  assert.deepEqual(chooseAgainstScenarios(one), ["unary-client"]);
});

test("a comparison with a revision needs one, and knows two scenarios", () => {
  assert.throws(() => read("--against", ""), /--against needs a revision/);
  assert.throws(() => read("--against"), /--against/);
  assert.throws(() => read("--against", "main", "--scenario", "floods"), /compares unary-server and unary-client/);
});

test("floods may be shorter and over one transport", () => {
  const { seconds, transports } = read("--scenario", "floods", "--transport", "tls", "--seconds", "3");
  assert.deepEqual([seconds, transports], [3, ["tls"]]);
});

test("wrong values are named with what is allowed", () => {
  assert.throws(() => read("--scenario", "nothing"), /no scenario is called nothing/);
  assert.throws(() => read("--pairs", "0"), /--pairs must be a positive integer, not 0/);
  assert.throws(() => read("--duration", "fast"), /--duration must be positive seconds/);
  assert.throws(() => read("--seconds", "60"), /--seconds must be between 1 and 30, not 60/);
  assert.throws(() => read("--transport", "quic"), /--transport must be cleartext or tls, not quic/);
  assert.throws(() => read("--unknown"), /--unknown/);
});
