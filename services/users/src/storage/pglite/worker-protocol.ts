/**
 * The messages between the event loop and the thread PGlite runs in. Owns their shapes; knows neither side.
 *
 * Invariant: every request gets exactly one reply with its id, in the order of the requests. The reply with id 0 comes
 * first and unasked: it says whether the engine started.
 */
import type { SqlValue } from "../database.ts";

export const OPENED_ID = 0;

export interface WorkerOptions {
  /** Folder of the database cluster; undefined keeps everything in memory. */
  readonly clusterFolder: string | undefined;
}

export type WorkerRequest =
  | { readonly id: number; readonly kind: "query"; readonly text: string; readonly params: readonly SqlValue[] }
  | { readonly id: number; readonly kind: "script"; readonly text: string }
  | { readonly id: number; readonly kind: "close" };

/** What of an error survives the border: a structured clone would lose the class. */
export interface WorkerError {
  readonly message: string;
  /** SQLSTATE; undefined when the engine itself failed. */
  readonly code: string | undefined;
  readonly constraint: string | undefined;
}

export type WorkerReply =
  | { readonly id: number; readonly rows: readonly object[] }
  | { readonly id: number; readonly error: WorkerError };
