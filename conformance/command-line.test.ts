import assert from "node:assert/strict";
import { test } from "node:test";
import { readCommandLine, usage } from "./command-line.ts";

const KNOWN = [
  { name: "hpack", isFast: true },
  { name: "h2spec", isFast: true },
  { name: "nginx", isFast: false },
];

test("without arguments every suite runs once", () => {
  assert.deepEqual(readCommandLine([], KNOWN), {
    suites: ["hpack", "h2spec", "nginx"],
    isFast: false,
    repeat: 1,
    jsonFile: undefined,
    writesDocument: false,
  });
});

test("--fast leaves out the slow suites, unless they are asked for", () => {
  assert.deepEqual(readCommandLine(["--fast"], KNOWN).suites, ["hpack", "h2spec"]);
  assert.deepEqual(readCommandLine(["--fast", "--suite", "nginx"], KNOWN).suites, ["nginx"]);
});

test("--suite may be repeated and may be a list; suites run in their own order, once", () => {
  const { suites } = readCommandLine(["--suite", "nginx,hpack", "--suite=hpack"], KNOWN);
  assert.deepEqual(suites, ["hpack", "nginx"]);
});

test("--json, --repeat and --write carry their values", () => {
  const { jsonFile, repeat, writesDocument } = readCommandLine(["--json", "out.json", "--repeat=10", "--write"], KNOWN);
  assert.deepEqual([jsonFile, repeat, writesDocument], ["out.json", 10, true]);
});

test("what is not allowed is named", () => {
  assert.throws(() => readCommandLine(["--suite", "h3spec"], KNOWN), /no suite is called h3spec/);
  assert.throws(() => readCommandLine(["--suite", "hpack,"], KNOWN), /no suite is called nothing/);
  assert.throws(() => readCommandLine(["--repeat", "0"], KNOWN), /--repeat 0: a positive integer/);
  assert.throws(() => readCommandLine(["--repeat", "many"], KNOWN), /--repeat many/);
  assert.throws(() => readCommandLine(["--quick"], KNOWN), /--quick/);
  assert.throws(() => readCommandLine(["h2spec"], KNOWN), /h2spec/);
});

test("the usage marks the suites of --fast", () => {
  assert.match(usage(KNOWN), /hpack\*, h2spec\*, nginx$/);
});
