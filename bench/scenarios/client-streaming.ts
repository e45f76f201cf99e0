// Owns: messages a second that a server takes on one core, ours against grpc-js: uploads of 16,384 messages, ten at a time on one
// connection, with the windows that each server grants by default. Both servers live through the whole comparison; an upload of
// which a message was lost or changed has another answer, and h2load checks the octets.

import { create, toBinary } from "@bufbuild/protobuf";
import { CreateUserRequestSchema, UserResponseSchema } from "../../services/users/src/gen/user_pb.ts";
import { type LoadShape, type LoadTarget, requireH2load, runH2load } from "../lib/h2load.ts";
import type { Sample } from "../lib/pairs.ts";
import type { RunOptions, Scenario } from "../lib/scenario.ts";
import type { ServerProcess } from "../lib/server-process.ts";
import { compareStreamingServers } from "../lib/streaming-servers.ts";
import type { Row } from "../lib/targets.ts";
import { UPLOADED_COUNT, UPLOADED_USER } from "../streamed-messages.ts";

const SHAPE: LoadShape = { connections: 1, streams: 10 };
const PROBE_STREAMS = 10;
const PREFIX_BYTES = 5;

export const clientStreaming: Scenario = { name: "client-streaming", run: runClientStreaming };

async function runClientStreaming(options: RunOptions): Promise<Row[]> {
  requireH2load();
  return compareStreamingServers("client-streaming", options, (server) => prepare(server, options));
}

/** Warms a server up and returns a measurement of about the wanted length. */
async function prepare(server: ServerProcess, { durationSeconds }: RunOptions): Promise<() => Promise<Sample>> {
  const target = createTarget(server.port);
  await runH2load(target, SHAPE, PROBE_STREAMS);
  const warm = await runH2load(target, SHAPE, PROBE_STREAMS);
  const uploads = Math.max(PROBE_STREAMS, Math.round(warm.requestsPerSecond * durationSeconds));
  return async () => {
    const { requestsPerSecond, generatorLoad } = await runH2load(target, SHAPE, uploads);
    return { value: requestsPerSecond * UPLOADED_COUNT, generatorLoad };
  };
}

function createTarget(port: number): LoadTarget {
  const request = toBinary(CreateUserRequestSchema, create(CreateUserRequestSchema, UPLOADED_USER));
  const message = Buffer.alloc(PREFIX_BYTES + request.length);
  message.writeUInt32BE(request.length, 1);
  message.set(request, PREFIX_BYTES);
  const answer = create(UserResponseSchema, { createdCount: UPLOADED_COUNT });
  return {
    port,
    path: "/user.UserService/CreateUserStream",
    body: Buffer.alloc(UPLOADED_COUNT * message.length, message),
    answerBytes: PREFIX_BYTES + toBinary(UserResponseSchema, answer).length,
  };
}
