// Owns: messages a second that a server streams on one core, ours against grpc-js: one stream at a time with large windows, so that
// the server and not its reader sets the pace. Both servers live through the whole comparison; h2load checks the octets.

import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { ListUsersRequestSchema, UserResponseSchema } from "../../services/users/src/gen/user_pb.ts";
import { type LoadShape, type LoadTarget, requireH2load, runH2load } from "../lib/h2load.ts";
import { judgeGenerator, measurePairs, type Sample } from "../lib/pairs.ts";
import { installPeer } from "../lib/peer-install.ts";
import type { RunOptions, Scenario } from "../lib/scenario.ts";
import { type ServerProcess, startServer } from "../lib/server-process.ts";
import { findTarget, judge, type Row } from "../lib/targets.ts";
import { createUserResponse, REQUESTED_ID } from "../user-response.ts";

const SHAPE: LoadShape = { connections: 1, streams: 1, windowBits: 24 };
const MESSAGES_A_STREAM = 10_000;
const PROBE_STREAMS = 5;
const PREFIX_BYTES = 5;
const FOLDER = join(import.meta.dirname, "..");

export const serverStreaming: Scenario = { name: "server-streaming", run: runServerStreaming };

async function runServerStreaming(options: RunOptions): Promise<Row[]> {
  requireH2load();
  const servers: ServerProcess[] = [];
  try {
    servers.push(await startServer("volant", join(FOLDER, "servers", "volant-users.ts")));
    servers.push(await startServer("grpc-js", join(installPeer("grpc-js"), "server.mjs")));
    const ours = await prepare(servers[0]!, options);
    const theirs = await prepare(servers[1]!, options);
    const result = await measurePairs(options.pairs, ours, theirs, (pair, label) => {
      const [our, their] = [Math.round(pair.ours.value), Math.round(pair.theirs.value)];
      const load = Math.round((pair.ours.generatorLoad ?? 0) * 100);
      options.log(`${label}: ${our} / ${their} msg/s = ${pair.ratio.toFixed(2)}x, generator at ${load} %`);
    });
    return [judge(findTarget("server-streaming", "grpc-js"), { ...result, ...judgeGenerator(result) })];
  } finally {
    for (const server of servers) await server.stop();
  }
}

/** Warms a server up and returns a measurement of about the wanted length. */
async function prepare(server: ServerProcess, { durationSeconds }: RunOptions): Promise<() => Promise<Sample>> {
  const target = createTarget(server.port);
  await runH2load(target, SHAPE, PROBE_STREAMS);
  const warm = await runH2load(target, SHAPE, PROBE_STREAMS);
  const streams = Math.max(1, Math.round(warm.requestsPerSecond * durationSeconds));
  return async () => {
    const { requestsPerSecond, generatorLoad } = await runH2load(target, SHAPE, streams);
    return { value: requestsPerSecond * MESSAGES_A_STREAM, generatorLoad };
  };
}

function createTarget(port: number): LoadTarget {
  const request = toBinary(ListUsersRequestSchema, create(ListUsersRequestSchema, { pageSize: MESSAGES_A_STREAM }));
  const answer = create(UserResponseSchema, createUserResponse(REQUESTED_ID, BigInt));
  return {
    port,
    path: "/user.UserService/StreamUsers",
    body: Buffer.concat([Buffer.of(0, 0, 0, 0, request.length), request]),
    answerBytes: MESSAGES_A_STREAM * (PREFIX_BYTES + toBinary(UserResponseSchema, answer).length),
  };
}
