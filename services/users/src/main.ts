/**
 * The UserService as a process: environment in, ready line out, signals to exit codes. Owns the order in which things
 * are opened and closed; everything else is in the modules it wires.
 *
 * Invariants: stdout has exactly the ready line and a command to try; the storage is closed last and always; exit code
 * 0 after a stop that was asked for, 1 for a start that failed, with one line on stderr.
 */

import { randomBytes } from "node:crypto";
import type { ServerTlsOptions } from "volant";
import { type Config, readConfig } from "./config.ts";
import { createLogger, type LogFields, type Logger } from "./log.ts";
import { probePort } from "./port-probe.ts";
import { Readiness } from "./readiness.ts";
import { dialableAddress, firstCommand, readyLine } from "./ready-line.ts";
import { createUsersServer } from "./service.ts";
import { startFaultLine } from "./start-fault.ts";
import { listenForStop, type StopSignal } from "./stop-signal.ts";
import { openStorage, type SqlStorage } from "./storage/open-storage.ts";
import { seedSampleUsers } from "./storage/sample-users.ts";
import { loadTls } from "./tls-files.ts";

async function run(config: Config, logger: Logger, stop: StopSignal): Promise<void> {
  await probePort(config.HOST, config.GRPC_PORT);
  const tls = await loadTls(config, (error) => logger.error("TLS files were not read again", describeFault(error)));
  const storage = await openStorage({
    url: config.DATABASE_URL,
    poolMax: config.DATABASE_POOL_MAX,
    log: (line) => logger.info(line),
  });
  const grace = graceSince(stop, config.SHUTDOWN_GRACE_MS);
  try {
    if (storage.engine === "pglite" && !isProduction(config)) await seedSampleUsers(storage);
    if (!stop.isReceived) await serve({ config, logger, stop, storage, tls });
  } finally {
    await storage.close(Math.max(grace.leftMs, LEAST_CLOSE_MS));
  }
}

/** An engine that is idle ends in less, and one that is ended in its work has more to do at the next start. */
const LEAST_CLOSE_MS = 1_000;

/** What is left of the time that a stop may take; all of it before the stop was asked for. */
function graceSince(stop: StopSignal, graceMs: number): { readonly leftMs: number } {
  let stoppedAt = Number.POSITIVE_INFINITY;
  void stop.received.then(() => {
    stoppedAt = performance.now();
  });
  return {
    get leftMs() {
      return graceMs - Math.max(0, performance.now() - stoppedAt);
    },
  };
}

interface Parts {
  readonly config: Config;
  readonly logger: Logger;
  readonly stop: StopSignal;
  readonly storage: SqlStorage;
  readonly tls: ServerTlsOptions | undefined;
}

async function serve({ config, logger, stop, storage, tls }: Parts): Promise<void> {
  const draining = new AbortController();
  const readiness = watchStorage(storage, logger);
  const server = createUsersServer(
    {
      storage,
      pageTokenKey: pageTokenKey(config, logger),
      draining: draining.signal,
      reflection: config.REFLECTION === "on",
      readiness,
      chat: {
        maxRooms: config.CHAT_MAX_ROOMS,
        maxContentBytes: config.CHAT_MAX_CONTENT_BYTES,
        maxQueuedMessages: config.CHAT_QUEUE_MESSAGES,
        maxQueuedBytes: config.CHAT_QUEUE_BYTES,
        maxTotalQueuedBytes: config.CHAT_TOTAL_QUEUE_BYTES,
      },
    },
    {
      maxReceiveMessageBytes: config.MAX_RECEIVE_MESSAGE_BYTES,
      keepalive: { timeMs: config.KEEPALIVE_TIME_MS, timeoutMs: config.KEEPALIVE_TIMEOUT_MS },
      keepaliveEnforcement: {
        minTimeMs: config.KEEPALIVE_MIN_TIME_MS,
        permitWithoutCalls: config.KEEPALIVE_PERMIT_WITHOUT_CALLS === "on",
      },
      ...(config.MAX_CONNECTION_AGE_MS !== undefined && { maxConnectionAgeMs: config.MAX_CONNECTION_AGE_MS }),
      onError: (error, call) => logger.error("failed unexpectedly", describeFault(error, call?.method.path)),
    },
  );
  const { port } = await server.listen({ host: config.HOST, port: config.GRPC_PORT, ...(tls && { tls }) });
  const address = dialableAddress(config.HOST, port);
  const facts = { database: storage.engine, ...(tls && { tls: config.TLS_CA_FILE === undefined ? "on" : "mutual" }) };
  const command = firstCommand(address, { hasReflection: config.REFLECTION === "on", tls: facts.tls });
  process.stdout.write(`${readyLine(address, facts)}\n${command}\n`);
  readiness.start();
  const signal = await stop.received;
  logger.info("stopping", { signal, grace_ms: config.SHUTDOWN_GRACE_MS });
  readiness.stop();
  const drained = server.drain({ graceMs: config.SHUTDOWN_GRACE_MS });
  // In this order health has turned before the first chat ends, and its client looks for another replica.
  draining.abort();
  await drained;
}

function watchStorage(storage: SqlStorage, logger: Logger): Readiness {
  const readiness = new Readiness(() => storage.ping());
  readiness.watch((isReady, reason) => {
    if (isReady) logger.info("the storage answers again: ready");
    else logger.error("the storage does not answer: not ready", { reason });
  });
  return readiness;
}

function pageTokenKey(config: Config, logger: Logger): string | Uint8Array {
  if (config.PAGE_TOKEN_SECRET !== undefined) return config.PAGE_TOKEN_SECRET;
  if (isProduction(config)) {
    logger.warn(
      "PAGE_TOKEN_SECRET is not set: page tokens are good for this process only, not for other replicas or after a restart",
    );
  }
  return randomBytes(32);
}

function isProduction(config: Config): boolean {
  return config.NODE_ENV === "production";
}

function describeFault(error: unknown, method?: string): LogFields {
  return { method, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

const stop = listenForStop(process, () => process.exit(1));
let config: Config | undefined;
try {
  config = readConfig(process.env);
  const logger = createLogger({ level: config.LOG_LEVEL, write: (line) => process.stderr.write(line) });
  await run(config, logger, stop);
  process.exit(0);
} catch (error) {
  const line = startFaultLine(error, config);
  if (line === undefined) throw error;
  process.stderr.write(`${line}\n`);
  process.exit(1);
}
