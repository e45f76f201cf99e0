// Owns: a server under test as a process of its own: start, port, end.
// The contract with such a program: it prints `listening PORT` in a line of its own once it accepts connections, and ends on
// SIGTERM. Everything else it prints goes to our stderr.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { pinned, SERVER_CORE } from "./cores.ts";

const KILL_AFTER_MS = 10_000;

export interface ServerProcess {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts `program` on Node, bound to the server's core. */
export async function startServer(
  name: string,
  program: string,
  options: { env?: NodeJS.ProcessEnv; listening?: RegExp } = {},
): Promise<ServerProcess> {
  const [command, ...args] = pinned(SERVER_CORE, [process.execPath, program]);
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...options.env },
  });
  const port = await readPort(name, child, options.listening ?? /^listening (\d+)$/);
  return { name, port, pid: child.pid!, stop: () => stopProcess(child) };
}

async function readPort(name: string, child: ChildProcess, listening: RegExp): Promise<number> {
  const lines = createInterface({ input: child.stdout! });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  lines.on("line", (line) => {
    const port = listening.exec(line)?.[1];
    if (port === undefined) process.stderr.write(`${name}: ${line}\n`);
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
