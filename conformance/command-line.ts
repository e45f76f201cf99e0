/**
 * The arguments of `npm run conformance`. Owns their syntax; must not know what a suite is beyond its name.
 */
import { parseArgs } from "node:util";

export interface CommandLine {
  /** The suites to run, in the order of the list. */
  readonly suites: readonly string[];
  readonly isFast: boolean;
  /** How often each suite runs; a case passes if it passed every time. */
  readonly repeat: number;
  readonly jsonFile: string | undefined;
  /** Bring `docs/conformance.md` up to date. */
  readonly writesDocument: boolean;
}

export interface KnownSuite {
  readonly name: string;
  readonly isFast: boolean;
}

export function usage(known: readonly KnownSuite[]): string {
  const names = known.map(({ name, isFast }) => (isFast ? `${name}*` : name)).join(", ");
  return `npm run conformance -- [--suite NAME[,NAME]]... [--fast] [--repeat N] [--json FILE] [--write]\nsuites (* is in --fast): ${names}`;
}

/** Throws an Error that says what was given and what is allowed. */
export function readCommandLine(args: readonly string[], known: readonly KnownSuite[]): CommandLine {
  const { values } = parseArgs({
    args: [...args],
    options: {
      suite: { type: "string", multiple: true },
      fast: { type: "boolean", default: false },
      repeat: { type: "string", default: "1" },
      json: { type: "string" },
      write: { type: "boolean", default: false },
    },
  });
  const repeat = Number(values.repeat);
  if (!Number.isInteger(repeat) || repeat < 1)
    throw new Error(`--repeat ${values.repeat}: a positive integer is allowed`);
  return {
    suites: chooseSuites(values.suite, values.fast, known),
    isFast: values.fast,
    repeat,
    jsonFile: values.json,
    writesDocument: values.write,
  };
}

function chooseSuites(lists: readonly string[] | undefined, isFast: boolean, known: readonly KnownSuite[]): string[] {
  const asked = lists?.flatMap((list) => list.split(",")).map((name) => name.trim());
  const unknown = asked?.find((name) => known.every((suite) => suite.name !== name));
  if (unknown !== undefined) throw new Error(`no suite is called ${unknown === "" ? "nothing" : unknown}`);
  const isChosen = ({ name, isFast: suiteIsFast }: KnownSuite): boolean =>
    asked === undefined ? suiteIsFast || !isFast : asked.includes(name);
  return known.filter(isChosen).map(({ name }) => name);
}
