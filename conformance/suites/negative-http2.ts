/**
 * gRPC's negative HTTP/2 cases: our client against a server that misbehaves (`programs/negative-server.ts`). The second suite
 * runs grpc-go's client for these cases against the same server, which tells whether the script is right.
 */
import assert from "node:assert/strict";
import { Channel, StatusCode } from "volant";
import { INTEROP_CASES, largeRequest, testClient } from "../programs/interop-cases.ts";
import { NEGATIVE_CASES, type NegativeCase, type NegativeReport, NegativeServer } from "../programs/negative-server.ts";
import { runCommand } from "../tools/processes.ts";
import { type Checks, runChecks, type Suite } from "./suite.ts";

const CALLS_AT_ONCE = 15;

/**
 * grpc-go's program wants UNKNOWN for a message that a reset cuts off. grpc-go has given INTERNAL for long, so the program
 * cannot pass with any server that follows the description; that it sees the reset is what counts.
 */
const OUTDATED_EXPECTATION = /UnaryCall\(\) = _, Internal, want _, Unknown/;

type ClientSide = (channel: Channel) => Promise<void>;

async function fails(channel: Channel): Promise<void> {
  await assert.rejects(testClient(channel).unaryCall(largeRequest), { code: StatusCode.INTERNAL });
}

const CLIENT_SIDES: Readonly<Record<NegativeCase, ClientSide>> = {
  async goaway(channel) {
    await INTEROP_CASES.large_unary(channel);
    await INTEROP_CASES.large_unary(channel);
  },
  rst_after_header: fails,
  rst_during_data: fails,
  rst_after_data: fails,
  ping: INTEROP_CASES.large_unary,
  async max_streams(channel) {
    await INTEROP_CASES.large_unary(channel);
    await Promise.all(Array.from({ length: CALLS_AT_ONCE }, () => INTEROP_CASES.large_unary(channel)));
  },
};

/** What the server must have seen, whoever the client was. */
function assertReport(name: NegativeCase, report: NegativeReport): void {
  const { connections, requests, peakStreams, pingsSent, pingsAcknowledged } = report;
  assert.equal(connections, name === "goaway" ? 2 : 1, "connections");
  assert.equal(requests, name === "goaway" ? 2 : name === "max_streams" ? CALLS_AT_ONCE + 1 : 1, "requests");
  assert.equal(peakStreams, 1, "streams at once");
  // The client may close the connection before it acknowledges what came behind the end of its call.
  if (name === "ping")
    assert.ok(pingsSent > 2 && pingsAcknowledged >= pingsSent - 1, `${pingsAcknowledged} of ${pingsSent}`);
}

function checksWith(play: (name: NegativeCase, port: number) => Promise<void>): Checks {
  const checks: Record<string, () => Promise<void>> = {};
  for (const name of NEGATIVE_CASES) {
    checks[name] = async () => {
      await using server = await NegativeServer.listen(name);
      await play(name, server.port);
      assertReport(name, server.report);
    };
  }
  return checks;
}

async function playOurs(name: NegativeCase, port: number): Promise<void> {
  await using channel = new Channel(`127.0.0.1:${port}`);
  await CLIENT_SIDES[name](channel);
}

export const negativeHttp2: Suite = {
  name: "negative-http2",
  isFast: true,
  tools: [],
  peer: "a server written on raw frames",
  run: async () => [{ role: "client", cases: await runChecks(checksWith(playOurs)) }],
};

export const negativeHttp2Script: Suite = {
  name: "negative-http2-script",
  isFast: false,
  tools: ["grpc-go-interop-http2"],
  async run({ tool }) {
    const client = tool("grpc-go-interop-http2");
    const play = async (name: NegativeCase, port: number): Promise<void> => {
      const args = ["--server_host=127.0.0.1", `--server_port=${port}`, `--test_case=${name}`];
      const { code, stderr } = await runCommand(client, args);
      if (name === "rst_during_data") assert.match(stderr, OUTDATED_EXPECTATION);
      else assert.equal(code, 0, stderr);
    };
    return [{ role: "server", cases: await runChecks(checksWith(play)) }];
  },
};
