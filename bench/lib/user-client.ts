// Owns: the independent witness: grpc-js as a client, which sees what a load generator does not: grpc-status and content.
// Must not know: which server it talks to, so that ours and the peers pass the same check.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { type Client, credentials, makeClientConstructor, type ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { createUserResponse, REQUESTED_ID } from "../user-response.ts";

const PROTO_FOLDER = join(import.meta.dirname, "..", "..", "proto");
const CALLS = 50;

/** The UserService as proto-loader reads it, with 64-bit integers as numbers. */
export const USER_SERVICE = loadSync("user.proto", { includeDirs: [PROTO_FOLDER], longs: Number })[
  "user.UserService"
] as ServiceDefinition;

/** A grpc-js client of a server on this machine, to be closed by the caller. */
export function createUserClient(port: number): Client {
  const UserClient = makeClientConstructor(USER_SERVICE, "UserService");
  return new UserClient(`127.0.0.1:${port}`, credentials.createInsecure());
}

/** Throws unless the server answers concurrent GetUser calls with OK and each with the id it was asked for. */
export async function verifyGetUser(port: number): Promise<void> {
  const client = createUserClient(port);
  try {
    const ids = Array.from({ length: CALLS }, () => `user-${String(randomInt(100_000)).padStart(5, "0")}`);
    await Promise.all([REQUESTED_ID, ...ids].map((id) => verifyAnswer(client, id)));
  } finally {
    client.close();
  }
}

async function verifyAnswer(client: Client, userId: string): Promise<void> {
  const { path, requestSerialize, responseDeserialize } = USER_SERVICE.GetUser!;
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { userId }, (error, response) =>
    error === null ? resolve(response) : reject(error),
  );
  assert.deepEqual(await promise, createUserResponse(userId, Number));
}
