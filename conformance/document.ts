/**
 * `docs/conformance.md`: the counts of the last runs, as a page. Owns its text and its syntax; must not know how suites run.
 *
 * Invariant: the page has no date and no duration, so it changes only when a count or a version does. Suites that did not
 * run this time keep their lines.
 */
import type { Row } from "./report.ts";
import type { Suite, SuiteRole } from "./suites/suite.ts";
import { TOOLS, type ToolName } from "./tools/versions.ts";

const HEADINGS = ["suite", "our role", "against", "total", "passed", "failed", "skipped"] as const;
const LINE = /^\| ([\w-]+) \| (server|client) \| (.*) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$/gm;

const INTRODUCTION = `# Conformance

What \`npm run conformance -- --write\` counted last. Each suite is described in \`conformance/suites/\`; versions are pinned in
\`conformance/tools/versions.ts\`. Cases that are known to fail are in \`conformance/expected-failures.txt\`, and the run fails
where one of them passes. A suite whose tool cannot be had is named and left out.
`;

interface Line extends Row {
  readonly against: string;
}

/** The page after a run: `before` is the page as it was, `suites` all there are, in their order. */
export function formatDocument(rows: readonly Row[], before: string, suites: readonly Suite[]): string {
  const ran = new Set(rows.map(({ suite }) => suite));
  const lines = suites.flatMap((suite): Line[] => {
    if (!ran.has(suite.name)) return readLines(before).filter((line) => line.suite === suite.name);
    const against = describePeers(suite);
    return rows.filter((row) => row.suite === suite.name).map((row) => ({ ...row, against }));
  });
  const cells = lines.map(({ suite, role, against, total, passed, failed, skipped }) =>
    [suite, role, against, total, passed, failed, skipped].join(" | "),
  );
  const table = [HEADINGS.join(" | "), "--- | --- | --- | ---: | ---: | ---: | ---:", ...cells];
  return `${INTRODUCTION}\n${table.map((line) => `| ${line} |`).join("\n")}\n`;
}

function readLines(page: string): Line[] {
  return Array.from(page.matchAll(LINE), ([, suite = "", role = "", against = "", ...counts]) => {
    const [total = 0, passed = 0, failed = 0, skipped = 0] = counts.map(Number);
    return { suite, role: role as SuiteRole, against, total, passed, failed, skipped };
  });
}

function describePeers({ tools, optionalTools = [], peer }: Suite): string {
  const names = [...(peer === undefined ? [] : [peer]), ...[...tools, ...optionalTools].map(describeTool)];
  return names.length > 0 ? names.join(", ") : "nothing outside the repository";
}

/** Debian's packages have the version of the machine, which would change the page with it. */
function describeTool(name: ToolName): string {
  const tool = TOOLS[name];
  return tool.kind === "debian" ? `${name} of Debian` : `${name} ${tool.version}`;
}
