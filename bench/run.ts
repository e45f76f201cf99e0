// Owns: `npm run bench`: which scenarios run, and where their rows go.
// Exits with 1 if a row is SHORT or VOID, with 2 if the command line is wrong.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { RunOptions, Scenario } from "./lib/scenario.ts";
import { formatTable } from "./lib/table.ts";
import type { Row } from "./lib/targets.ts";
import { bidiStreaming } from "./scenarios/bidi-streaming.ts";
import { clientStreaming } from "./scenarios/client-streaming.ts";
import { codec } from "./scenarios/codec.ts";
import { floods } from "./scenarios/floods.ts";
import { http2Micro } from "./scenarios/http2-micro.ts";
import { idleConnections } from "./scenarios/idle-connections.ts";
import { longFatLink } from "./scenarios/long-fat-link.ts";
import { serverStreaming } from "./scenarios/server-streaming.ts";
import { streamMemory } from "./scenarios/stream-memory.ts";
import { unaryClient } from "./scenarios/unary-client.ts";
import { unaryServer } from "./scenarios/unary-server.ts";

const SCENARIOS: readonly Scenario[] = [
  unaryServer,
  unaryClient,
  serverStreaming,
  clientStreaming,
  bidiStreaming,
  http2Micro,
  idleConnections,
  floods,
  streamMemory,
  codec,
  longFatLink,
];

const USAGE = `npm run bench -- [--scenario NAME[,NAME]] [--pairs N] [--duration SECONDS] [--json FILE]
scenarios: ${SCENARIOS.map(({ name }) => name).join(", ")}`;

interface CommandLine extends RunOptions {
  readonly scenarios: readonly Scenario[];
  readonly jsonFile?: string;
}

function readCommandLine(): CommandLine {
  const { values } = parseArgs({
    options: {
      scenario: { type: "string", multiple: true },
      pairs: { type: "string", default: "7" },
      duration: { type: "string", default: "2.5s" },
      json: { type: "string" },
    },
  });
  const names = values.scenario?.flatMap((list) => list.split(","));
  const unknown = names?.find((name) => SCENARIOS.every((scenario) => scenario.name !== name));
  if (unknown !== undefined) throw new Error(`no scenario is called ${unknown}`);
  const pairs = Number(values.pairs);
  const durationSeconds = Number(values.duration.replace(/s$/, ""));
  if (!Number.isInteger(pairs) || pairs < 1) throw new Error(`--pairs must be a positive integer, not ${values.pairs}`);
  if (!(durationSeconds > 0))
    throw new Error(`--duration must be positive seconds, such as 3s, not ${values.duration}`);
  return {
    scenarios: SCENARIOS.filter(({ name }) => names === undefined || names.includes(name)),
    pairs,
    durationSeconds,
    log: (line) => process.stderr.write(`${line}\n`),
    ...(values.json !== undefined && { jsonFile: values.json }),
  };
}

async function run({ scenarios, jsonFile, ...options }: CommandLine): Promise<void> {
  const rows: Row[] = [];
  for (const scenario of scenarios) {
    options.log(`== ${scenario.name}`);
    rows.push(...(await scenario.run(options)));
  }
  console.log(formatTable(rows));
  if (jsonFile !== undefined) writeFileSync(jsonFile, `${JSON.stringify(rows, null, 2)}\n`);
  if (!rows.every((row) => row.pass)) process.exitCode = 1;
}

// Servers under test are killed when this process exits, and a signal alone is no exit.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

let commandLine: CommandLine | undefined;
try {
  commandLine = readCommandLine();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
  process.exitCode = 2;
}
if (commandLine !== undefined) await run(commandLine);
