/**
 * What h2spec and h2specd print, as cases. Owns both formats. h2spec writes JUnit XML; h2specd writes text only.
 */
import type { CaseResult, Outcome } from "./suite.ts";

const TEST_CASE = /<testcase package="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g;
const FAULT = /<(?:failure|error)[^>]*>([\s\S]*?)<\/(?:failure|error)>/;

/** The cases of an h2spec JUnit file. */
export function parseH2specReport(xml: string): CaseResult[] {
  const cases = Array.from(xml.matchAll(TEST_CASE), ([, section = "", title = "", content = ""]): CaseResult => {
    const name = `${section} ${unescapeXml(title)}`;
    if (/<(?:failure|error)\b/.test(content)) {
      const reason = unescapeXml(FAULT.exec(content)?.[1] ?? "").replaceAll(/\s+/g, " ");
      return { name, outcome: "failed", detail: reason.trim() || "no reason given" };
    }
    return content.includes("<skipped")
      ? { name, outcome: "skipped", detail: "by h2spec" }
      : { name, outcome: "passed" };
  });
  return numberDuplicates(cases);
}

const SECTION = /^(\d+(?:\.\d+)*)\. /;
const RESULT = /^(✔ |× )?(\d+: .*)$/;
const OUTCOMES: Readonly<Record<string, Outcome>> = { "✔ ": "passed", "× ": "failed" };

/** The cases of h2specd's output. It stops at the first case whose client hangs: then the last case says so. */
export function parseH2specdOutput(text: string): CaseResult[] {
  const cases: CaseResult[] = [];
  let section = "";
  // After the first summary line the failures are listed again.
  const [run = ""] = text.split(/^Failures: /m, 1);
  for (const line of run.split(/[\r\n]+/).map((each) => each.trim())) {
    const title = SECTION.exec(line)?.[1];
    if (title !== undefined) section = title;
    const [, mark = "", name] = RESULT.exec(line) ?? [];
    if (name !== undefined) cases.push(toCase(`${section} ${name}`, OUTCOMES[mark] ?? "skipped"));
    else describeFailure(cases, line);
  }
  if (!/^Finished in /m.test(text)) {
    const reason = /^Error: .*$/m.exec(text)?.[0] ?? "it ended early";
    cases.push({ name: `${section} the case after the last one shown`, outcome: "failed", detail: reason });
  }
  return numberDuplicates(cases);
}

function toCase(name: string, outcome: Outcome): CaseResult {
  return outcome === "skipped" ? { name, outcome, detail: "by h2specd" } : { name, outcome };
}

/** Lines below a failed case say what was expected and what came. */
function describeFailure(cases: CaseResult[], line: string): void {
  const last = cases.at(-1);
  if (last?.outcome !== "failed" || !/^(?:->|Expected:|Actual:|Error:)/.test(line)) return;
  cases[cases.length - 1] = { ...last, detail: last.detail === undefined ? line : `${last.detail} ${line}` };
}

function numberDuplicates(cases: readonly CaseResult[]): CaseResult[] {
  const seen = new Map<string, number>();
  return cases.map((each) => {
    const count = (seen.get(each.name) ?? 0) + 1;
    seen.set(each.name, count);
    return count === 1 ? each : { ...each, name: `${each.name} (${count})` };
  });
}

function unescapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
  return text.replaceAll(
    /&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return named[name] ?? whole;
      return String.fromCodePoint(decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal));
    },
  );
}
