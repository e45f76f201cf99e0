// Owns: the honest load that brings a server to the state a busy one is in, before it is attacked: ordinary calls, thousands in
// flight, and uploads, over and over until its resident memory does not grow any more.
//
// Why: what a fresh process has in memory says little about a server. V8's young generation grows from 16 MB to 134 MB with how much
// is alive at once, and the pages that it empties stay in a pool until memory is short; code is compiled, malloc keeps what the socket
// chunks between two collections took. Honest load does all of that too.
// Must not know: floods.

import { create, toBinary } from "@bufbuild/protobuf";
import { CreateUserRequestSchema, UserResponseSchema } from "../../services/users/src/gen/user_pb.ts";
import { createGetUserTarget } from "../lib/get-user-load.ts";
import { type LoadShape, type LoadTarget, runH2load } from "../lib/h2load.ts";
import type { ResidentServer } from "../lib/resident-server.ts";
import type { Transport } from "../lib/transport.ts";
import { UPLOADED_COUNT, UPLOADED_USER } from "../streamed-messages.ts";

const CALLS: LoadShape = { connections: 100, streams: 100 };
const UPLOADS: LoadShape = { connections: 4, streams: 10 };
const CALLS_A_ROUND = 100_000;
const UPLOADS_A_ROUND = 120;
const MAX_ROUNDS = 8;
/** A round that adds less than this share is the last. */
const STEADY_GROWTH = 0.02;
const PREFIX_BYTES = 5;

export async function warmUp(server: ResidentServer, transport: Transport): Promise<void> {
  const [calls, uploads] = [createGetUserTarget(server.port, transport), createUploads(server.port, transport)];
  let resident = server.readResident();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    await runH2load(calls, CALLS, CALLS_A_ROUND);
    await runH2load(uploads, UPLOADS, UPLOADS_A_ROUND);
    const before = resident;
    resident = server.readResident();
    if (round > 0 && resident < before * (1 + STEADY_GROWTH)) return;
  }
}

function createUploads(port: number, transport: Transport): LoadTarget {
  const request = toBinary(CreateUserRequestSchema, create(CreateUserRequestSchema, UPLOADED_USER));
  const message = Buffer.concat([Buffer.of(0, 0, 0, 0, request.length), request]);
  const answer = toBinary(UserResponseSchema, create(UserResponseSchema, { createdCount: UPLOADED_COUNT }));
  return {
    port,
    transport,
    path: "/user.UserService/CreateUserStream",
    body: Buffer.alloc(UPLOADED_COUNT * message.length, message),
    answerBytes: PREFIX_BYTES + answer.length,
  };
}
