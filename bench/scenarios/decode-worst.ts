// Owns: what one message of 4 MiB can cost a server, over the nastiest inputs that we could make (bench/worst/inputs.ts): processor time and
// memory of decoding it under default options. The rows are the worst of all inputs, and those of inputs that once took seconds.
// Time is that of the processor, for a whole MiB that was offered, whether it was decoded or refused on the way.

import { join } from "node:path";
import { SERVER_CORE } from "../lib/cores.ts";
import type { RunOptions, Scenario } from "../lib/scenario.ts";
import { median } from "../lib/statistics.ts";
import { findTarget, judge, type Row } from "../lib/targets.ts";
import { startWorker } from "../lib/worker-process.ts";
import { INPUTS, MESSAGE_BYTES } from "../worst/inputs.ts";
import type { Job, Measured } from "../worst/protocol.ts";

export const decodeWorst: Scenario = { name: "decode-worst", run: runDecodeWorst };

const WORKER = join(import.meta.dirname, "..", "worst", "worker.ts");
const MEBIBYTES = MESSAGE_BYTES / 1_048_576;
/** One message takes a part of a second, and the inputs are many. */
const MAX_ROUNDS = 3;

/** Rows of one input each, by the peer of their target. */
const ROWS: Readonly<Record<string, string>> = {
  "budget: unknown fields of 2 octets": "unknown varints, dropped",
  "budget: a map of distinct texts": "a map with text keys",
  "budget: JSON with sparse integer keys": "Struct in a field: sparse integer keys",
  "budget: integer keys in a row, then far apart": "a map with integer keys in a row, then far apart",
};

interface Figures {
  readonly name: string;
  readonly msPerMebibyte: number;
  readonly megabytes: number;
}

async function runDecodeWorst(options: RunOptions): Promise<Row[]> {
  const figures: Figures[] = [];
  for (const { name } of INPUTS) figures.push(await measureInput(name, options));
  const most = (pick: (figure: Figures) => number): number => Math.max(...figures.map(pick));
  const one = (name: string): Figures => figures.find((figure) => figure.name === name)!;
  return [
    judge(findTarget("decode-worst", "budget: any message, time"), {
      ours: most(({ msPerMebibyte }) => msPerMebibyte),
    }),
    judge(findTarget("decode-worst", "budget: any message, memory"), { ours: most(({ megabytes }) => megabytes) }),
    ...Object.entries(ROWS).map(([peer, name]) =>
      judge(findTarget("decode-worst", peer), { ours: one(name).msPerMebibyte }),
    ),
  ];
}

/** Each input has a process of its own: what one leaves behind, in heap and in compiled code, is not the next one's. */
async function measureInput(name: string, { pairs, log }: RunOptions): Promise<Figures> {
  const measured: Measured[] = [];
  for (let round = 0; round < Math.min(pairs, MAX_ROUNDS); round++) {
    const worker = await startWorker<Job, Measured>(SERVER_CORE, WORKER);
    try {
      measured.push(await worker.run({ name }));
    } finally {
      await worker.stop();
    }
  }
  const msPerMebibyte = median(measured.map(({ ms }) => ms)) / MEBIBYTES;
  const megabytes = median(measured.map((figure) => figure.megabytes));
  const verdict = measured[0]!.refused ? "refused" : "decoded";
  log(
    `${name.padEnd(58)} ${msPerMebibyte.toFixed(1).padStart(7)} ms/MiB ${megabytes.toFixed(0).padStart(5)} MB  ${verdict}`,
  );
  return { name, msPerMebibyte, megabytes };
}
