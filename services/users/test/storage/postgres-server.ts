/**
 * A real Postgres for tests: started on a free port, in a folder of its own, gone afterwards. Owns finding the programs
 * (PATH, then Debian's folders, then apt-get where this is root on Debian), and the server's life; knows no schema.
 *
 * Invariants: the server never runs as root, because it refuses to; nothing is left behind, whatever way the test ends.
 * Where no Postgres can be had the caller is told why, in one line, so that it skips; with CI set that is an error.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "pg";
import type { PostgresLimits } from "../../src/storage/postgres/postgres-database.ts";

const DEBIAN_FOLDER = "/usr/lib/postgresql";
const PORT_ATTEMPTS = 5;
/** A server that was killed a moment ago may still be writing. */
const REMOVE = { recursive: true, force: true, maxRetries: 20, retryDelay: 50 };

const HOUR_MS = 3_600_000;
/** Limits that a slow machine does not meet, for all tests but those of the limits. */
export const PATIENT: PostgresLimits = {
  acquireTimeoutMs: HOUR_MS,
  lookupTimeoutMs: HOUR_MS,
  statementTimeoutMs: HOUR_MS,
  lockTimeoutMs: HOUR_MS,
};

export interface PostgresServer {
  /** Of a database named `postgres`. */
  readonly url: string;
  /** Makes an empty database and returns its URL. */
  createDatabase(name: string): Promise<string>;
  /** Kills the server as a crash would, and starts it again on the same port and data. */
  crashAndRestart(): Promise<void>;
  stop(): Promise<void>;
}

export type PostgresStart = { readonly server: PostgresServer } | { readonly skip: string };

export async function startPostgres(): Promise<PostgresStart> {
  const programs = findPrograms() ?? installPrograms();
  if (programs !== undefined) return { server: await startServer(programs) };
  const reason = "no Postgres: put initdb and postgres on PATH (Debian: apt-get install postgresql)";
  if (process.env.CI) throw new Error(reason);
  return { skip: reason };
}

interface Programs {
  readonly initdb: string;
  readonly postgres: string;
}

function findPrograms(): Programs | undefined {
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER) : [];
  versions.sort((a, b) => Number(b) - Number(a));
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter),
    ...versions.map((version) => join(DEBIAN_FOLDER, version, "bin")),
  ];
  for (const folder of folders) {
    const initdb = join(folder, "initdb");
    const postgres = join(folder, "postgres");
    if (existsSync(initdb) && existsSync(postgres)) {
      return { initdb: realpathSync(initdb), postgres: realpathSync(postgres) };
    }
  }
  return undefined;
}

function installPrograms(): Programs | undefined {
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) return undefined;
  // Installing would otherwise make and start a server of the system.
  const clusterSettings = "/etc/postgresql-common/createcluster.conf";
  if (!existsSync(clusterSettings)) {
    mkdirSync(dirname(clusterSettings), { recursive: true });
    writeFileSync(clusterSettings, "create_main_cluster = false\n");
  }
  const options = ["-qq", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold"];
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  try {
    execFileSync("apt-get", ["-qq", "update"], { env, stdio: "ignore" });
    execFileSync("apt-get", [...options, "install", "postgresql"], { env, stdio: "ignore" });
  } catch {
    // Without a network this machine has no Postgres, which is the caller's to judge.
    return undefined;
  }
  return findPrograms();
}

/** Whom to run the server as: ourselves, unless that is root. */
function findUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const accounts = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "nobody"]) {
    const [, , uid, gid] = accounts.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error("Postgres refuses to run as root, and there is no user postgres or nobody to run it as");
}

async function startServer(programs: Programs): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "users-postgres-"));
  const user = findUser();
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  let child: ChildProcess | undefined;
  const leaveNothing = (): void => {
    child?.kill("SIGQUIT");
    rmSync(folder, REMOVE);
  };
  process.once("exit", leaveNothing);
  const data = join(folder, "data");
  const initOptions = [
    "-D",
    data,
    "-U",
    "postgres",
    "--auth=trust",
    "--no-sync",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
  ];
  execFileSync(programs.initdb, initOptions, { ...user, cwd: folder, stdio: "pipe" });

  const run = (port: number): Promise<ChildProcess> => runServer(programs.postgres, { data, folder, port, user });
  const started = await onFreePort(run);
  const { port } = started;
  child = started.child;
  const urlOf = (database: string): string => `postgres://postgres@127.0.0.1:${port}/${database}`;
  return {
    url: urlOf("postgres"),
    async createDatabase(name) {
      const client = new Client({ connectionString: urlOf("postgres") });
      await client.connect();
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
      await client.end();
      return urlOf(name);
    },
    async crashAndRestart() {
      await end(child, "SIGQUIT");
      child = await run(port);
    },
    async stop() {
      await end(child, "SIGINT");
      process.off("exit", leaveNothing);
      rmSync(folder, REMOVE);
    },
  };
}

async function onFreePort(
  run: (port: number) => Promise<ChildProcess>,
): Promise<{ child: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = await findFreePort();
    try {
      return { child: await run(port), port };
    } catch (error) {
      // Someone else may have taken the port in between.
      if (attempt === PORT_ATTEMPTS || !String(error).includes("could not bind")) throw error;
    }
  }
}

interface ServerOptions {
  readonly data: string;
  readonly folder: string;
  readonly port: number;
  readonly user: { uid?: number; gid?: number };
}

/** Resolves when the server accepts connections. */
async function runServer(program: string, { data, folder, port, user }: ServerOptions): Promise<ChildProcess> {
  const settings = ["fsync=off", "max_connections=60", "lc_messages=C", "listen_addresses=127.0.0.1"];
  const options = settings.flatMap((setting) => ["-c", setting]);
  const child = spawn(program, ["-D", data, "-k", folder, "-p", String(port), ...options], {
    ...user,
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const log: string[] = [];
  const ready = Promise.withResolvers<void>();
  const lines = createInterface({ input: child.stderr });
  lines.on("line", (line) => {
    if (log.push(line) > 50) log.shift();
    if (line.includes("database system is ready to accept connections")) ready.resolve();
  });
  child.once("error", ready.reject);
  child.once("exit", (code) => ready.reject(new Error(`postgres ended with code ${code}:\n${log.join("\n")}`)));
  await ready.promise;
  return child;
}

async function end(child: ChildProcess | undefined, signal: "SIGINT" | "SIGQUIT"): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("a TCP server has an address with a port");
  return address.port;
}
