/**
 * Why the service did not start, in one line for the operator: what was given, what is wrong, what to do. Owns the
 * wording for what the system refuses; the environment and the storage word their own. Knows nothing of how to start.
 */

import { type Config, ConfigError } from "./config.ts";
import { StorageOpenError } from "./storage/storage-error.ts";

/** Undefined for an error nobody foresaw: its stack is worth more than a line. */
export function startFaultLine(error: unknown, config: Config | undefined): string | undefined {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof StorageOpenError) {
    return config?.DATABASE_URL === undefined ? error.message : `DATABASE_URL: ${error.message}`;
  }
  return config === undefined ? undefined : listenFaultLine(error, config);
}

function listenFaultLine(error: unknown, { HOST, GRPC_PORT }: Config): string | undefined {
  if (!(error instanceof Error && "code" in error)) return undefined;
  switch (error.code) {
    case "EADDRINUSE":
      return `GRPC_PORT ${GRPC_PORT} on ${HOST} is taken: stop the program that has it, or choose another port (0: a free one)`;
    case "EACCES":
      return `GRPC_PORT ${GRPC_PORT} on ${HOST} is not permitted to this user: choose a port from 1024 to 65535`;
    case "EADDRNOTAVAIL":
      return `HOST ${HOST} is not an address of this machine: choose one that is, or 0.0.0.0 for all`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `HOST ${HOST} cannot be resolved: give an address of this machine, or 0.0.0.0 for all`;
    default:
      return undefined;
  }
}
