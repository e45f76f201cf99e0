/**
 * Where a tool finds the UserService: directly, over TLS, or through a proxy. Owns how cases are named after it; each tool has
 * its own way to say the rest.
 */
import type { IdentityFiles } from "../programs/certificates.ts";
import type { Check, Checks } from "./suite.ts";

export interface Target {
  readonly port: number;
  /** "" for the plain way, else for instance "over TLS". */
  readonly by: string;
  /** Set where the target speaks TLS. */
  readonly files?: IdentityFiles;
}

export function addressOf({ port }: Target): string {
  return `127.0.0.1:${port}`;
}

/** Cases named `TOOL by WAY: WHAT`. */
export function casesOf(tool: string, { by }: Target, checks: Readonly<Record<string, Check>>): Checks {
  const prefix = by === "" ? tool : `${tool} ${by}`;
  return Object.fromEntries(Object.entries(checks).map(([what, check]) => [`${prefix}: ${what}`, check]));
}

/** The services that a list by reflection has. */
export const LISTED_SERVICES: readonly string[] = [
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
  "user.UserService",
];

export const chatMessages = (count: number): string =>
  Array.from({ length: count }, (_, at) => JSON.stringify({ user_id: "alice", room_id: "r", content: `c${at}` })).join(
    "\n",
  );

/** Emails are unique in the service, so each of these runs has its own prefix. */
export const newUsers = (prefix: string, count: number): string =>
  Array.from({ length: count }, (_, at) => JSON.stringify({ email: `${prefix}${at}@example.com`, name: "n" })).join(
    "\n",
  );
