/**
 * `health(server)`: grpc.health.v1, by which balancers, orchestrators and clients learn whether to send calls here. Owns
 * which names there are and what the three methods answer; the board owns the statuses.
 *
 * Why watches end at a drain: a Watch has no end of its own, so every client that watches would hold the drain until its
 * grace is over. Each is told NOT_SERVING, in front of the GOAWAY, and then ends with OK.
 * Spec: gRPC health-checking.md; grpc/health/v1/health.proto.
 */
import {
  Health,
  type HealthCheckRequest,
  HealthCheckResponse_ServingStatus,
} from "../../gen/grpc/health/v1/health_pb.ts";
import { RpcError } from "../../rpc/rpc-error.ts";
import { checkServer } from "../../rpc/server-shape.ts";
import { StatusCode } from "../../rpc/status.ts";
import type { Handlers, Server } from "../../server/index.ts";
import { SERVING_STATUSES, type ServingStatus, StatusBoard } from "./status-board.ts";

export type { ServingStatus } from "./status-board.ts";

/** What the server says of itself. */
export interface HealthStatus {
  /**
   * Says how a name does; "" is the server as a whole, and nothing follows from one name for another. Any name will do, not
   * only services. SERVICE_UNKNOWN takes a name away. Watchers are told; a repetition is no news. Throws TypeError for
   * anything but a string and these statuses. During and after a drain nothing is SERVING, whatever is set.
   */
  set(service: string, status: ServingStatus): void;
  /** The status as clients see it; SERVICE_UNKNOWN for a name that there is not. */
  get(service: string): ServingStatus;
}

/** As grpc-go has it. Without it one small request makes an answer as long as the list. */
const MAX_LISTED = 100;
/** A Watch holds its name for as long as the stream lives: without this, 4 MiB each. */
const MAX_NAME_LENGTH = 1_024;

/**
 * Adds grpc.health.v1.Health. `""` and each service are SERVING from the start, services added later too, unless their status
 * was set before; those of gRPC itself (`grpc.*`) have one only when it is set. `server.drain()` turns everything to
 * NOT_SERVING first. Throws TypeError where the server has the service already.
 */
export function health(server: Server): HealthStatus {
  checkServer("health()", server);
  const board = new StatusBoard();
  const addService = (name: string): void => {
    if (!name.startsWith("grpc.")) board.add(name);
  };
  server.add(Health, createHandlers(board));
  board.add("");
  for (const { typeName } of server.services) addService(typeName);
  server.observe({
    onServiceAdded: ({ typeName }) => addService(typeName),
    onDraining: () => board.close(),
  });
  return {
    set(service, status) {
      checkStatus(service, status);
      board.set(service, status);
    },
    get: (service) => board.get(service),
  };
}

function createHandlers(board: StatusBoard): Handlers<typeof Health> {
  return {
    check(request) {
      const service = nameIn(request);
      const status = board.get(service);
      if (status === "SERVICE_UNKNOWN") throw new RpcError(StatusCode.NOT_FOUND, `unknown service ${quoted(service)}`);
      return messageOf(status);
    },
    watch: (request) => board.watch(nameIn(request), messageOf),
    list() {
      const known = board.list();
      if (known.size > MAX_LISTED) {
        const text = `${known.size} services have a status, at most ${MAX_LISTED} are listed; ask for each by Check`;
        throw new RpcError(StatusCode.RESOURCE_EXHAUSTED, text);
      }
      return { statuses: Object.fromEntries(Array.from(known, ([name, status]) => [name, messageOf(status)])) };
    },
  };
}

function messageOf(status: ServingStatus): { status: HealthCheckResponse_ServingStatus } {
  return { status: HealthCheckResponse_ServingStatus[status] };
}

function nameIn({ service }: HealthCheckRequest): string {
  if (service.length <= MAX_NAME_LENGTH) return service;
  const text = `service: ${service.length} characters given, at most ${MAX_NAME_LENGTH} are allowed`;
  throw new RpcError(StatusCode.INVALID_ARGUMENT, text);
}

function quoted(name: string): string {
  return JSON.stringify(name.length > 256 ? `${name.slice(0, 256)}…` : name);
}

function checkStatus(service: unknown, status: unknown): void {
  if (typeof service !== "string") throw new TypeError(`service: a ${typeof service} given, a string is allowed`);
  if (SERVING_STATUSES.some((allowed) => allowed === status)) return;
  throw new TypeError(
    `the status of ${quoted(service)}: ${String(status)} given, one of ${SERVING_STATUSES.join(", ")} is allowed`,
  );
}
