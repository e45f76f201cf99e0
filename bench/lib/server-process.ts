// Owns: a server under test as a process of its own: start, port, end.
// The contract with such a program: it prints `listening PORT` in a line of its own once it accepts connections, and ends on
// SIGTERM.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { pinned, SERVER_CORE } from "./cores.ts";
import { OWN_SESSION } from "./priority.ts";

const KILL_AFTER_MS = 10_000;

export interface ServerProcess {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly args?: readonly string[];
  /** Options of Node itself. */
  readonly nodeArgs?: readonly string[];
  /** Gets each line that the program prints after it is listening. Default: they go to our stderr. */
  readonly onLine?: (line: string) => void;
}

/** Starts `program` on this Node, bound to the server's core. */
export async function startServer(name: string, program: string, options: StartOptions = {}): Promise<ServerProcess> {
  const { nodeArgs = [], args: programArgs = [] } = options;
  const [command, ...args] = pinned(SERVER_CORE, [process.execPath, ...nodeArgs, program, ...programArgs]);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], detached: OWN_SESSION });
  const onLine = options.onLine ?? ((line) => process.stderr.write(`${name}: ${line}\n`));
  const killWithUs = (): boolean => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  child.once("exit", () => process.off("exit", killWithUs));
  const port = await readPort(name, child, onLine);
  return { name, port, pid: child.pid!, stop: () => stopProcess(child) };
}

async function readPort(name: string, child: ChildProcess, onLine: (line: string) => void): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  createInterface({ input: child.stdout! }).on("line", (line) => {
    const port = /^listening (\d+)$/.exec(line)?.[1];
    if (port === undefined) onLine(line);
    else resolve(Number(port));
  });
  child.once("error", reject);
  child.once("exit", (code, signal) => reject(new Error(`${name} ended before it was listening (${signal ?? code})`)));
  return promise;
}

/** SIGTERM, then SIGKILL for a process that does not end. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  await exited;
  clearTimeout(timer);
}
