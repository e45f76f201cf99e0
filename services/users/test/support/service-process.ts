/**
 * The service as a process of its own, started in a folder of its own. Collects what it prints and tells when a line
 * came or the process ended; a test that fails still leaves no process behind (`dispose`).
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class ServiceProcess {
  readonly exited: Promise<Exit>;
  readonly pid: number | undefined;
  readonly #child: ChildProcess;
  #output = { stdout: "", stderr: "" };
  #watchers = new Set<() => void>();

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid;
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
        this.#output[name] += chunk;
        for (const watcher of this.#watchers) watcher();
      });
    }
    this.exited = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => {
        resolve({ code, signal });
        for (const watcher of this.#watchers) watcher();
      });
    });
  }

  /** Nothing of this machine's environment but the path reaches the service. */
  static start(cwd: string, env: Readonly<Record<string, string>> = {}): ServiceProcess {
    const child = spawn(process.execPath, [MAIN], {
      cwd,
      env: { PATH: process.env.PATH, HOST: "127.0.0.1", GRPC_PORT: "0", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new ServiceProcess(child);
  }

  get stdout(): string {
    return this.#output.stdout;
  }

  get stderr(): string {
    return this.#output.stderr;
  }

  /** The match of what it printed, as soon as there is one. */
  printed(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const match = pattern.exec(this.#output[stream]);
        const isOver = this.#child.exitCode !== null || this.#child.signalCode !== null;
        if (match === null && !isOver) return;
        this.#watchers.delete(check);
        if (match !== null) resolve(match);
        else reject(new Error(`the service ended without printing ${pattern}:\n${this.stdout}${this.stderr}`));
      };
      this.#watchers.add(check);
      check();
    });
  }

  /** The address of the ready line. */
  async ready(): Promise<string> {
    const [, address = ""] = await this.printed("stdout", /^ready grpc=(\S+)[^\n]*\n/);
    return address;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<Exit> {
    this.kill("SIGTERM");
    return this.exited;
  }

  async dispose(): Promise<void> {
    this.kill("SIGKILL");
    await this.exited;
  }
}

/** A folder that is gone after the test. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "users-service-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
