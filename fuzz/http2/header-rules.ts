/**
 * The rules for header lists against the same rules written down once more, as a list of what must not be. RFC 9113
 * §8.1.1, §8.2, §8.3; RFC 9110 §8.6.
 */
import assert from "node:assert/strict";
import type { FuzzRun, FuzzTarget } from "../target.ts";
import { type Bugs, loadCore } from "./core.ts";
import { happens, Random, randomOctets } from "./random-source.ts";

const BUGS: Bugs = {
  "a second :path is taken": {
    file: "header-rules.ts",
    find: "if ((seen & bit) !== 0) return MALFORMED;",
    replace: "if ((seen & bit & ~4) !== 0) return MALFORMED;",
  },
  "a value may end with a tab": {
    file: "hpack/field.ts",
    find: "const TAB = 0x09;",
    replace: "const TAB = 0x20;",
  },
  "content-lengths need not agree": {
    file: "header-rules.ts",
    find: "if (contentLength !== NO_CONTENT_LENGTH && contentLength !== value) return MALFORMED;",
    replace: "",
  },
};

export const headerRules: FuzzTarget = { name: "http2-headers", bugs: Object.keys(BUGS), start };

type Kind = "request" | "response" | "trailers";
type Pair = [name: string, value: string];

const REQUEST_PSEUDO = [":method", ":scheme", ":path", ":authority"];
const CONNECTION_SPECIFIC = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const MALFORMED = -2;
const NO_LENGTH = -1;

/** MALFORMED, or the announced length. */
function expected(kind: Kind, fields: readonly Pair[]): number {
  const pseudo = fields.filter(([name]) => name.startsWith(":"));
  const regular = fields.filter(([name]) => !name.startsWith(":"));
  const only = (name: string): string[] => fields.filter((field) => field[0] === name).map((field) => field[1]);
  const isBad =
    fields.some(([, value]) => /[\0\r\n]/.test(value) || /^[ \t]|[ \t]$/.test(value)) ||
    regular.some(([name]) => !TOKEN.test(name) || CONNECTION_SPECIFIC.includes(name)) ||
    only("te").some((value) => value !== "trailers") ||
    fields.slice(0, pseudo.length).some(([name]) => !name.startsWith(":")) ||
    isBadPseudo(kind, pseudo) ||
    (kind === "request" && isBadHost(only("host"), only(":authority")));
  if (isBad) return MALFORMED;
  const lengths = only("content-length");
  if (lengths.some((value) => !/^\d{1,15}$/.test(value))) return MALFORMED;
  if (new Set(lengths.map(Number)).size > 1) return MALFORMED;
  return lengths.length === 0 ? NO_LENGTH : Number(lengths[0]);
}

function isBadPseudo(kind: Kind, pseudo: readonly Pair[]): boolean {
  if (kind === "trailers") return pseudo.length > 0;
  if (kind === "response") {
    return pseudo.length !== 1 || pseudo[0]![0] !== ":status" || !/^[1-9]\d\d$/.test(pseudo[0]![1]);
  }
  const names = pseudo.map(([name]) => name);
  return (
    new Set(names).size !== names.length ||
    names.some((name) => !REQUEST_PSEUDO.includes(name)) ||
    REQUEST_PSEUDO.slice(0, 3).some((name) => !pseudo.some((field) => field[0] === name && field[1] !== ""))
  );
}

function isBadHost(hosts: readonly string[], authorities: readonly string[]): boolean {
  if (hosts.length > 1) return true;
  return hosts.length === 1 && authorities.length === 1 && hosts[0]!.toLowerCase() !== authorities[0]!.toLowerCase();
}

const GOOD: Readonly<Record<Kind, readonly Pair[]>> = {
  request: [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", "/s/m"],
    [":authority", "a.test"],
  ],
  response: [[":status", "200"]],
  trailers: [["grpc-status", "0"]],
};
const NAMES = [
  ...REQUEST_PSEUDO,
  ...CONNECTION_SPECIFIC,
  ":status",
  ":protocol",
  ":",
  "te",
  "host",
  "content-length",
  "cookie",
  "x-a",
  "X-a",
  "a b",
  "a:b",
  "é",
  "",
];
const VALUES = [
  "",
  "trailers",
  "0",
  "5",
  "05",
  "-1",
  "5, 5",
  "a.test",
  "A.TEST",
  "200",
  "099",
  "20",
  " x",
  "x\t",
  "a\nb",
];

function randomList(random: Random, kind: Kind): Pair[] {
  const list: Pair[] = GOOD[kind].map(([name, value]) => [name, value]);
  for (let count = random.below(4); count > 0; count--) {
    const at = random.below(list.length + 1);
    switch (random.below(6)) {
      case 0:
        list.splice(at, 1);
        break;
      case 1:
        if (list[at] !== undefined) list[at] = [list[at][0], randomValue(random)];
        break;
      case 2:
        if (list[at] !== undefined) list.splice(random.below(list.length), 0, [...list[at]]);
        break;
      case 3:
        list.push(["content-length", random.pick(["0", "5", "05", "6", "-1", "5, 5", ""])]);
        break;
      default:
        list.splice(random.oneIn(3) ? at : list.length, 0, [random.pick(NAMES), randomValue(random)]);
    }
  }
  return list;
}

function randomValue(random: Random): string {
  return happens(random, 150) ? randomOctets(random, random.below(4)).toString("latin1") : random.pick(VALUES);
}

function start(bug?: string): FuzzRun {
  const { hpack, headerRules: rules } = loadCore(BUGS, bug);
  const reached = { accepted: 0, malformed: 0, "with a length": 0 };
  return {
    execute(seed) {
      const random = new Random(seed);
      const kind = random.pick(["request", "response", "trailers"] as const);
      const list = randomList(random, kind);
      const fields = list.map(([name, value]) => hpack.HeaderField.of(name, value));
      const wanted = expected(kind, list);
      if (wanted === MALFORMED) reached.malformed++;
      else reached.accepted++;
      if (wanted >= 0) reached["with a length"]++;
      const shown = `${kind} ${JSON.stringify(list)}`;
      if (kind === "request") assert.equal(rules.checkRequestFields(fields), wanted, shown);
      else if (kind === "response") assert.equal(rules.checkResponseFields(fields), wanted, shown);
      else assert.equal(rules.checkTrailerFields(fields), wanted !== MALFORMED, shown);
    },
    reached: () => reached,
  };
}
