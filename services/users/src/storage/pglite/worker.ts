/**
 * Entry of the thread PGlite runs in: it blocks whatever thread it is on. Owns the engine and the order of requests;
 * knows neither stores nor locks (the folder is ours alone by the time this starts).
 *
 * Invariant: requests run one after another in the order they came, so `close` runs after everything before it.
 */
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import {
  OPENED_ID,
  type WorkerError,
  type WorkerOptions,
  type WorkerReply,
  type WorkerRequest,
} from "./worker-protocol.ts";

/** A new cluster is made beside its place and moved there whole: a start that was cut short leaves nothing half-made. */
async function createCluster(folder: string): Promise<void> {
  const unfinished = `${folder}.new`;
  await rm(unfinished, { recursive: true, force: true });
  const engine = await PGlite.create({ dataDir: unfinished });
  await engine.close();
  await rename(unfinished, folder);
}

async function openEngine({ clusterFolder }: WorkerOptions): Promise<PGlite> {
  if (clusterFolder === undefined) return PGlite.create({ dataDir: "memory://" });
  if (!existsSync(clusterFolder)) await createCluster(clusterFolder);
  return PGlite.create({ dataDir: clusterFolder });
}

async function perform(engine: PGlite, request: WorkerRequest): Promise<readonly object[]> {
  switch (request.kind) {
    case "query":
      return (await engine.query<object>(request.text, [...request.params])).rows;
    case "script":
      await engine.exec(request.text);
      return [];
    case "close":
      await engine.close();
      return [];
  }
}

function describeError(thrown: unknown): WorkerError {
  if (!(thrown instanceof Error)) return { message: String(thrown), code: undefined, constraint: undefined };
  const { code, constraint } = thrown as { code?: unknown; constraint?: unknown };
  return {
    message: thrown.message,
    code: typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined,
    constraint: typeof constraint === "string" ? constraint : undefined,
  };
}

async function serve(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error("worker.ts is the entry of a worker thread; start it with new Worker()");
  const reply = (message: WorkerReply): void => port.postMessage(message);
  let engine: PGlite;
  try {
    engine = await openEngine(workerData as WorkerOptions);
  } catch (error) {
    reply({ id: OPENED_ID, error: describeError(error) });
    return;
  }
  let last: Promise<void> = Promise.resolve();
  port.on("message", (request: WorkerRequest) => {
    last = last.then(async () => {
      try {
        reply({ id: request.id, rows: await perform(engine, request) });
      } catch (error) {
        reply({ id: request.id, error: describeError(error) });
      }
      if (request.kind === "close") port.close();
    });
  });
  reply({ id: OPENED_ID, rows: [] });
}

await serve();
