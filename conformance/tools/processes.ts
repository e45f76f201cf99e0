/**
 * Other programs: run to the end, or started and stopped. Owns their processes; must not know what they are.
 * Invariant: no process that was started here outlives this one.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const KILL_AFTER_MS = 5_000;
const CONNECT_RETRY_MS = 20;
const START_LIMIT_MS = 30_000;

export interface CommandResult {
  /** The exit code, or null after a signal. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string | Buffer;
  /** Killed after that long; the code is then null. Default: 60 s. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end. Rejects only where it cannot be started. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { cwd, env, stdin, timeoutMs = 60_000 } = options;
  const child = spawn(command, args, {
    stdio: "pipe",
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env }),
  });
  killWithUs(child);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A program that ends without reading its input is judged by its exit code.
  child.stdin.on("error", () => child.stdin.destroy());
  child.stdin.end(stdin);
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once("error", reject);
  child.once("close", (code) => resolve(code));
  const code = await promise;
  return { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
}

/** The same, and throws with what the program wrote where its exit code is not 0. */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const result = await runCommand(command, args, options);
  if (result.code === 0) return result;
  const said = lastLines(`${result.stdout.toString()}\n${result.stderr}`);
  throw new Error(`${[command, ...args].join(" ").slice(0, 200)} ended with ${result.code}: ${said}`);
}

export interface RunningServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts a program that listens on `port`, and waits until it accepts connections there. */
export async function startServer(
  command: string,
  args: readonly string[],
  port: number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<RunningServer> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env });
  killWithUs(child);
  let said = "";
  const collect = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-4_000);
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const ended = new AbortController();
  child.once("error", (error) => {
    said += error.message;
    ended.abort();
  });
  child.once("exit", () => ended.abort());
  const isListening = await waitForPort(port, ended.signal);
  if (isListening) return { port, stop: () => stopChild(child) };
  await stopChild(child);
  throw new Error(`${command} does not accept connections on port ${port}: ${lastLines(said)}`);
}

async function waitForPort(port: number, ended: AbortSignal): Promise<boolean> {
  for (const until = performance.now() + START_LIMIT_MS; performance.now() < until && !ended.aborted; ) {
    if (await accepts(port)) return true;
    await delay(CONNECT_RETRY_MS);
  }
  return false;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  const isOpen = await promise;
  socket.destroy();
  return isOpen;
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  await exited;
  clearTimeout(timer);
}

/** A TCP port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Where the shell would find a command; Debian keeps servers out of an ordinary user's PATH. */
export function findCommand(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function killWithUs(child: ChildProcess): void {
  const kill = (): boolean => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
}

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-5).join(" | ").slice(-800);
}
