// Owns: h2load (nghttp2) as a gRPC load generator: its command line, what its report says, and when a run does not count.
// Must not know: which server answers.
// Invariant: a run that returns was answered completely: h2load takes any HTTP 200 for a success, whatever grpc-status says,
// so the number of DATA bytes must be exactly that of the expected answers.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { GENERATOR_CORE, pinned } from "./cores.ts";
import { OWN_SESSION, raisePriority } from "./priority.ts";
import { watchLoad } from "./process-usage.ts";
import type { Transport } from "./transport.ts";

export interface LoadShape {
  readonly connections: number;
  /** Streams in flight on each connection. */
  readonly streams: number;
  /** Receive windows of 2^bits - 1 octets, for streams and connections. Default: h2load's, 65,535. */
  readonly windowBits?: number;
}

export interface LoadTarget {
  readonly port: number;
  /** Default: cleartext. */
  readonly transport?: Transport;
  /** `/package.Service/Method`. */
  readonly path: string;
  /** One message, with its five-byte prefix. */
  readonly body: Uint8Array;
  /** Length of each answer, with its prefix. */
  readonly answerBytes: number;
}

export interface Report {
  readonly requestsPerSecond: number;
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly errored: number;
  readonly timedOut: number;
  /** Responses by the first digit of their HTTP status: 2xx, 3xx, 4xx, 5xx. */
  readonly statuses: readonly [number, number, number, number];
  readonly dataBytes: number;
}

/** Sends `requests` calls and returns h2load's report with the share of its core that it used; `goesFirst` as in priority.ts. */
export async function runH2load(
  target: LoadTarget,
  shape: LoadShape,
  requests: number,
  goesFirst = false,
): Promise<Report & { generatorLoad: number }> {
  const folder = mkdtempSync(join(tmpdir(), "h2load-"));
  try {
    const bodyFile = join(folder, "body");
    writeFileSync(bodyFile, target.body);
    const [command, ...args] = pinned(GENERATOR_CORE, [
      "h2load",
      ...createArguments(target, shape, requests, bodyFile),
    ]);
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], detached: goesFirst && OWN_SESSION });
    if (goesFirst) raisePriority(child.pid!);
    const exited = once(child, "exit");
    const load = watchLoad(child.pid!);
    const output = await text(child.stdout);
    const generatorLoad = load.stop();
    const [code] = await exited;
    if (code !== 0) throw new Error(`h2load ended with ${code}:\n${output}`);
    const report = parseReport(output);
    const problem = findProblem(report, requests, target.answerBytes);
    if (problem !== undefined) throw new Error(`${problem}\n${output}`);
    return { ...report, generatorLoad };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function createArguments(target: LoadTarget, shape: LoadShape, requests: number, bodyFile: string): string[] {
  return [
    ...["-n", String(requests), "-c", String(shape.connections), "-m", String(shape.streams), "-t", "1"],
    ...(shape.windowBits === undefined ? [] : ["-w", String(shape.windowBits), "-W", String(shape.windowBits)]),
    ...["-H", "te: trailers", "-H", "content-type: application/grpc", "-d", bodyFile],
    `${target.transport === "tls" ? "https" : "http"}://127.0.0.1:${target.port}${target.path}`,
  ];
}

export function parseReport(output: string): Report {
  const number = (pattern: RegExp): number => {
    const found = pattern.exec(output)?.[1];
    if (found === undefined) throw new Error(`h2load's report has nothing that matches ${pattern}:\n${output}`);
    return Number(found);
  };
  return {
    requestsPerSecond: number(/^finished in .*?, ([\d.]+) req\/s/m),
    total: number(/^requests: (\d+) total/m),
    succeeded: number(/^requests: .*?(\d+) succeeded/m),
    failed: number(/^requests: .*?(\d+) failed/m),
    errored: number(/^requests: .*?(\d+) errored/m),
    timedOut: number(/^requests: .*?(\d+) timeout/m),
    statuses: [
      number(/^status codes: (\d+) 2xx/m),
      number(/^status codes: .*?(\d+) 3xx/m),
      number(/^status codes: .*?(\d+) 4xx/m),
      number(/^status codes: .*?(\d+) 5xx/m),
    ],
    dataBytes: number(/^traffic: .*\((\d+)\) data$/m),
  };
}

/** Why a report is not that of `requests` answered calls, if it is not. */
export function findProblem(report: Report, requests: number, answerBytes: number): string | undefined {
  const { succeeded, failed, errored, timedOut, statuses, dataBytes } = report;
  if (failed + errored + timedOut > 0) return `${failed} calls failed, ${errored} errored, ${timedOut} timed out`;
  if (succeeded !== requests || statuses[0] !== requests)
    return `${succeeded} of ${requests} calls succeeded, ${statuses[0]} with an HTTP status of 2xx`;
  if (dataBytes !== requests * answerBytes)
    return `${dataBytes} bytes of DATA came back, ${requests} answers of ${answerBytes} bytes would be ${requests * answerBytes}`;
  return undefined;
}

/** Makes sure h2load is there: installs it as root on Debian, else says what to do. */
export function requireH2load(): void {
  if (isInstalled()) return;
  if (process.getuid?.() === 0 && existsSync("/etc/debian_version")) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    execFileSync("apt-get", ["update", "-q"], { stdio: ["ignore", 2, 2], env });
    execFileSync("apt-get", ["install", "-q", "-y", "nghttp2-client"], { stdio: ["ignore", 2, 2], env });
  }
  if (!isInstalled())
    throw new Error("h2load is missing: install the package nghttp2-client (Debian) or nghttp2 (Homebrew)");
}

function isInstalled(): boolean {
  try {
    execFileSync("h2load", ["--version"], { stdio: "ignore" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
