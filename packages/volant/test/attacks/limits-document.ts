/**
 * `docs/limits.md` out of the attack list and the option table, so that neither can drift. Owns the text around the table.
 *
 *   node packages/volant/test/attacks/limits-document.ts      writes it
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { OPTION_RULES } from "../../src/http2/options.ts";
import type { Attack, OptionName } from "./attack.ts";
import { ATTACKS } from "./attack-list.ts";

export const LIMITS_FILE: string = join(import.meta.dirname, "../../../../docs/limits.md");

export function attackTestName({ name, unit, allowed }: Attack): string {
  return `${name} gets at most ${count(allowed)} ${unit}`;
}

export function honestTestName({ honest }: Attack): string {
  return `unhurt: ${honest.name}`;
}

const INTRODUCTION = `# Limits

What one connection lets a peer do to it. Every number is an option of \`Http2Options\` (\`http2\` of a server or channel).

- A budget grows back: with time, and by one for each call that completed normally. Nothing is counted for life.
- Order of defence: new streams are refused with REFUSED_STREAM, then reading pauses, then GOAWAY with ENHANCE_YOUR_CALM.
  The debug data of a GOAWAY names the cause: \`<counter>-flood\`.
- Counters are \`faultCounts\` of a connection.
- Of each row there are two tests in \`packages/volant/test/attacks\`, the attack and the honest peer that comes closest to
  it. \`npm run conformance -- --suite attacks\` runs each attack with its limit and without it: without, it must succeed.

This file is written by \`packages/volant/test/attacks/limits-document.ts\`; a test fails when it is not up to date.

`;

const COLUMNS = ["Attack", "CVE", "Rule", "Options and defaults", "Counter", "Test: attack", "Test: honest extreme"];

export function renderLimits(): string {
  const rows = ATTACKS.map((attack) => [
    attack.name,
    attack.cve,
    attack.rule,
    attack.options.length === 0 ? "none: a rule of the protocol" : attack.options.map(optionText).join("<br>"),
    `\`${attack.counter}\``,
    attackTestName(attack),
    honestTestName(attack),
  ]);
  const lines = [COLUMNS, COLUMNS.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  return `${INTRODUCTION}${lines.join("\n")}\n`;
}

function optionText(name: OptionName): string {
  return `\`${name}\` ${count(OPTION_RULES[name].initial)}`;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

if (import.meta.main) writeFileSync(LIMITS_FILE, renderLimits());
