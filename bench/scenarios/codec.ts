// Owns: messages a second that codecs encode and decode on one core, ours against protobuf-es, protobufjs and ts-proto, over ten
// shapes. A row is the geometric mean of the shapes' ratios, and the worst shape against protobuf-es has a row of its own.
// All codecs live through the whole run, each in its process, and are measured in turn, shape by shape.

import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { CodecName, Job, Measured } from "../codec/protocol.ts";
import { SHAPES } from "../codec/shapes.ts";
import { GENERATOR_CORE, pinned } from "../lib/cores.ts";
import { installPeer } from "../lib/peer-install.ts";
import type { RunOptions, Scenario } from "../lib/scenario.ts";
import { median } from "../lib/statistics.ts";
import { findTarget, judge, type Row, TARGETS, type Target } from "../lib/targets.ts";

export const codec: Scenario = { name: "codec", run: runCodec };

const OPERATIONS = ["encode", "decode"] as const;
const PEERS: readonly CodecName[] = ["protobuf-es", "protobufjs static", "protobufjs reflect", "ts-proto"];
const NAMES: readonly CodecName[] = ["volant", "volant into a buffer", ...PEERS];
/** Shapes × operations × codecs share one measurement's length. */
const MIN_SLICE_MS = 40;

type Operation = Job["operation"];
/** By codec, operation and shape: one figure a round. */
type Figures = Map<string, Measured[]>;

class Worker {
  readonly name: CodecName;
  private readonly process: ChildProcess;

  private constructor(name: CodecName, process: ChildProcess) {
    this.name = name;
    this.process = process;
  }

  static async start(name: CodecName, peersFile: string): Promise<Worker> {
    const process = fork(join(import.meta.dirname, "..", "codec", "worker.ts"), [name, peersFile], {
      execArgv: ["--expose-gc", "--max-semi-space-size=64"],
    });
    const [first] = await Promise.race([
      once(process, "message"),
      once(process, "exit").then(([code]) => Promise.reject(new Error(`the worker of ${name} ended with ${code}`))),
    ]);
    if (first !== "ready") throw new Error(`the worker of ${name} said ${first}`);
    const [command, ...args] = pinned(GENERATOR_CORE, ["true"]);
    if (command === "taskset") execFileSync(command, ["-a", "-cp", args[1]!, String(process.pid)], { stdio: "ignore" });
    return new Worker(name, process);
  }

  async run(job: Job): Promise<Measured> {
    const answer = once(this.process, "message");
    this.process.send(job);
    const [measured] = await answer;
    return measured as Measured;
  }

  stop(): void {
    this.process.disconnect();
  }
}

async function runCodec(options: RunOptions): Promise<Row[]> {
  const peer = installPeer("codec");
  execFileSync(process.execPath, [join(peer, "generate.mjs")], { stdio: ["ignore", 2, 2] });
  const workers: Worker[] = [];
  try {
    for (const name of NAMES) workers.push(await Worker.start(name, join(peer, "codecs.mjs")));
    const figures = await measureAll(workers, options);
    logShapes(figures, options);
    return createRows(figures);
  } finally {
    for (const worker of workers) worker.stop();
  }
}

async function measureAll(workers: readonly Worker[], { pairs, durationSeconds, log }: RunOptions): Promise<Figures> {
  const figures: Figures = new Map();
  const durationMs = Math.max(MIN_SLICE_MS, (durationSeconds * 1_000) / SHAPES.length / OPERATIONS.length);
  // The first round warms the compilers up and is not counted.
  for (let round = 0; round <= pairs; round++) {
    for (const { name: shape } of SHAPES) {
      for (const operation of OPERATIONS) {
        for (const worker of workers) {
          const measured = await worker.run({ shape, operation, durationMs });
          if (round === 0) continue;
          const key = keyOf(worker.name, operation, shape);
          figures.set(key, [...(figures.get(key) ?? []), measured]);
        }
      }
    }
    log(round === 0 ? "warmed up" : `round ${round} of ${pairs}`);
  }
  return figures;
}

function keyOf(name: CodecName, operation: Operation, shape: string): string {
  return `${name}|${operation}|${shape}`;
}

function ratioOf(figures: Figures, operation: Operation, shape: string, peer: CodecName, ours: CodecName): number {
  const mine = figures.get(keyOf(ours, operation, shape))!;
  const theirs = figures.get(keyOf(peer, operation, shape))!;
  return median(mine.map(({ perSecond }, round) => perSecond / theirs[round]!.perSecond));
}

function speedOf(figures: Figures, name: CodecName, operation: Operation, shape: string): number {
  return median(figures.get(keyOf(name, operation, shape))!.map(({ perSecond }) => perSecond));
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

function logShapes(figures: Figures, { log }: RunOptions): void {
  for (const operation of OPERATIONS) {
    log(`${operation}: nanoseconds a message, and octets allocated for one`);
    log(["shape".padEnd(18), ...NAMES.map((name) => name.padStart(20))].join(" "));
    for (const { name: shape } of SHAPES) {
      const cells = NAMES.map((name) => {
        const nanoseconds = Math.round(1e9 / speedOf(figures, name, operation, shape));
        const allocated = allocatedOf(figures.get(keyOf(name, operation, shape))!);
        return `${nanoseconds} (${allocated})`.padStart(20);
      });
      log([shape.padEnd(18), ...cells].join(" "));
    }
  }
}

/** Where a collection came between the two readings of the heap the figure is no figure. */
function allocatedOf(measured: readonly Measured[]): string {
  const known = measured.map(({ allocatedBytes }) => allocatedBytes).filter((octets) => octets >= 0);
  return known.length === 0 ? "?" : String(Math.round(median(known)));
}

function createRows(figures: Figures): Row[] {
  const shapes = SHAPES.map(({ name }) => name);
  const rows = OPERATIONS.flatMap((operation) =>
    PEERS.map((peer) => {
      const ratios = shapes.map((shape) => ratioOf(figures, operation, shape, peer, "volant"));
      return judge(targetOf(operation, peer), {
        ours: geometricMean(shapes.map((shape) => speedOf(figures, "volant", operation, shape))),
        theirs: geometricMean(shapes.map((shape) => speedOf(figures, peer, operation, shape))),
        ratio: geometricMean(ratios),
      });
    }),
  );
  const worst = OPERATIONS.map((operation) => {
    const ratios = shapes.map((shape) => ratioOf(figures, operation, shape, "protobuf-es", "volant"));
    const index = ratios.indexOf(Math.min(...ratios));
    return judge(worstTarget(operation), {
      ours: speedOf(figures, "volant", operation, shapes[index]!),
      theirs: speedOf(figures, "protobuf-es", operation, shapes[index]!),
      ratio: ratios[index]!,
    });
  });
  return [...rows, ...worst];
}

/** Peers that no target names are measured and not judged. */
function targetOf(operation: Operation, peer: CodecName): Target {
  const scenario = `codec-${operation}`;
  if (TARGETS.some((target) => target.scenario === scenario && target.peer === peer)) return findTarget(scenario, peer);
  return { scenario, peer, unit: "op/s", measure: "ratio", direction: "higher", must: null, goal: 1 };
}

function worstTarget(operation: Operation): Target {
  const scenario = `codec-${operation}`;
  return {
    scenario,
    peer: "protobuf-es, worst shape",
    unit: "op/s",
    measure: "ratio",
    direction: "higher",
    must: 1,
    goal: 2,
  };
}
