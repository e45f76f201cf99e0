// Owns: `npm run bench`: which scenarios run, and where their rows go.
// Exits with 1 if a row is SHORT or VOID, with 2 if the command line is wrong or names a revision that is not there.

import { writeFileSync } from "node:fs";
import { formatAgainst } from "./against/report.ts";
import { findRevision, type Revision, runAgainst } from "./against/run.ts";
import { type CommandLine, chooseAgainstScenarios, createUsage, readCommandLine } from "./command-line.ts";
import type { RunOptions, Scenario } from "./lib/scenario.ts";
import { formatTable } from "./lib/table.ts";
import type { Row } from "./lib/targets.ts";
import { backlog } from "./scenarios/backlog.ts";
import { bidiStreaming } from "./scenarios/bidi-streaming.ts";
import { clientStreaming } from "./scenarios/client-streaming.ts";
import { codec } from "./scenarios/codec.ts";

import { decodeWorst } from "./scenarios/decode-worst.ts";

import { fairness } from "./scenarios/fairness.ts";

import { floods } from "./scenarios/floods.ts";
import { http2Micro } from "./scenarios/http2-micro.ts";
import { idleConnections } from "./scenarios/idle-connections.ts";
import { longFatLink } from "./scenarios/long-fat-link.ts";
import { serverStreaming } from "./scenarios/server-streaming.ts";
import { streamMemory } from "./scenarios/stream-memory.ts";
import { unaryClient } from "./scenarios/unary-client.ts";
import { unaryServer } from "./scenarios/unary-server.ts";

// What is checked in development is not what is measured; the processes that scenarios start inherit it.
process.env.NODE_ENV ??= "production";

const SCENARIOS: readonly Scenario[] = [
  unaryServer,
  unaryClient,
  serverStreaming,
  clientStreaming,
  bidiStreaming,
  http2Micro,
  idleConnections,
  floods,
  backlog,
  fairness,
  streamMemory,
  codec,
  decodeWorst,
  longFatLink,
];

const NAMES = SCENARIOS.map(({ name }) => name);

const log = (line: string): boolean => process.stderr.write(`${line}\n`);

async function run(commandLine: CommandLine): Promise<void> {
  const { pairs, durationSeconds, seconds, transports, scenarios } = commandLine;
  const options: RunOptions = { pairs, durationSeconds, transports, log, ...(seconds !== undefined && { seconds }) };
  const rows: Row[] = [];
  for (const scenario of SCENARIOS.filter(({ name }) => scenarios === undefined || scenarios.includes(name))) {
    log(`== ${scenario.name}`);
    rows.push(...(await scenario.run(options)));
  }
  report(formatTable(rows), rows, commandLine);
}

async function runAgainstRevisions(revisions: readonly Revision[], commandLine: CommandLine): Promise<void> {
  const scenarios = chooseAgainstScenarios(commandLine);
  const rows = await runAgainst({ revisions, scenarios, pairs: commandLine.pairs, log });
  report(formatAgainst(rows), rows, commandLine);
}

function report(table: string, rows: readonly { readonly pass: boolean }[], { jsonFile }: CommandLine): void {
  console.log(table);
  if (jsonFile !== undefined) writeFileSync(jsonFile, `${JSON.stringify(rows, null, 2)}\n`);
  if (!rows.every((row) => row.pass)) process.exitCode = 1;
}

// Servers under test are killed when this process exits, and a signal alone is no exit.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

let chosen: { readonly commandLine: CommandLine; readonly revisions: readonly Revision[] } | undefined;
try {
  const commandLine = readCommandLine(process.argv.slice(2), NAMES);
  chosen = { commandLine, revisions: commandLine.against.map(findRevision) };
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n${createUsage(NAMES)}\n`);
  process.exitCode = 2;
}
if (chosen !== undefined) {
  const { commandLine, revisions } = chosen;
  if (revisions.length > 0) await runAgainstRevisions(revisions, commandLine);
  else await run(commandLine);
}
