/**
 * grpcurl, which learns everything by reflection: v1, since it asks for that first. It exits with 64 and the status code.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type CommandResult, runCommand } from "../tools/processes.ts";
import type { Checks } from "./suite.ts";
import { parseJsonStream } from "./tool-output.ts";
import { addressOf, casesOf, chatMessages, LISTED_SERVICES, newUsers, type Target } from "./tools-target.ts";

const PROTO = join(import.meta.dirname, "..", "..", "proto");
const NOT_FOUND = 64 + 5;
const INVALID_ARGUMENT = 64 + 3;

class Grpcurl {
  readonly #path: string;
  readonly #target: Target;

  constructor(path: string, target: Target) {
    this.#path = path;
    this.#target = target;
  }

  run(options: readonly string[], command: readonly string[], stdin = ""): Promise<CommandResult> {
    const { files } = this.#target;
    const security = files === undefined ? ["-plaintext"] : ["-cacert", files.ca];
    return runCommand(this.#path, [...security, ...options, addressOf(this.#target), ...command], { stdin });
  }

  call(method: string, stdin: string, ...options: string[]): Promise<CommandResult> {
    return this.run([...options, "-d", "@"], [method], stdin);
  }

  async answers(method: string, stdin: string, ...options: string[]): Promise<Readonly<Record<string, unknown>>[]> {
    const { code, stdout, stderr } = await this.call(method, stdin, ...options);
    assert.equal(code, 0, stderr);
    return parseJsonStream(stdout.toString());
  }

  async text(...command: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run([], command);
    assert.equal(code, 0, stderr);
    return stdout.toString();
  }
}

/** What is enough to see that a way to the service works. */
export function grpcurlBasics(path: string, target: Target): Checks {
  const grpcurl = new Grpcurl(path, target);
  return casesOf("grpcurl", target, {
    "list of the services": async () =>
      assert.deepEqual((await grpcurl.text("list")).trim().split("\n"), [...LISTED_SERVICES]),
    "a unary call": async () => {
      const [answer] = await grpcurl.answers("user.UserService/GetUser", '{"user_id":"123"}');
      assert.equal(answer?.message, "User retrieved successfully");
    },
    "bidirectional streaming": async () => {
      const received = await grpcurl.answers("user.UserService/UserChat", chatMessages(20));
      assert.deepEqual(
        received.map(({ content }) => content),
        Array.from({ length: 20 }, (_, at) => `c${at}`),
      );
    },
    "a health check": async () => {
      const [answer] = await grpcurl.answers("grpc.health.v1.Health/Check", '{"service":"readiness"}');
      assert.equal(answer?.status, "SERVING");
    },
  });
}

export function grpcurlChecks(path: string, target: Target): Checks {
  const grpcurl = new Grpcurl(path, target);
  return {
    ...grpcurlBasics(path, target),
    ...casesOf("grpcurl", target, { ...describing(grpcurl), ...calling(grpcurl) }),
  };
}

function describing(grpcurl: Grpcurl): Checks {
  return {
    "list of a service's methods": async () => {
      const methods = (await grpcurl.text("list", "user.UserService")).trim().split("\n");
      assert.equal(methods.length, 8);
      assert.ok(methods.includes("user.UserService.UserChat"));
    },
    "describe a service, a method, a message and an enum": async () => {
      assert.match(
        await grpcurl.text("describe", "user.UserService"),
        /rpc StreamUsers \( \.user\.ListUsersRequest \)/,
      );
      assert.match(await grpcurl.text("describe", "user.UserService.GetUser"), /idempotency_level = NO_SIDE_EFFECTS/);
      assert.match(await grpcurl.text("describe", "user.User"), /\.google\.protobuf\.Timestamp created_at = 4;/);
      const status = "grpc.health.v1.HealthCheckResponse.ServingStatus";
      assert.match(await grpcurl.text("describe", status), /SERVICE_UNKNOWN = 3;/);
    },
    "describe what there is not": async () => {
      const { code, stderr } = await grpcurl.run([], ["describe", "user.Nobody"]);
      assert.notEqual(code, 0);
      assert.match(stderr, /user\.Nobody[\s\S]*not found/i);
    },
    "the health of all names": async () => {
      const [answer] = await grpcurl.answers("grpc.health.v1.Health/List", "{}");
      const names = Object.keys(answer?.statuses ?? {});
      assert.deepEqual(names.sort(), ["", "liveness", "readiness", "user.UserService"]);
    },
    "the health of a name that there is not": async () => {
      const { code, stderr } = await grpcurl.call("grpc.health.v1.Health/Check", '{"service":"nobody"}');
      assert.equal(code, NOT_FOUND, stderr);
    },
  };
}

function calling(grpcurl: Grpcurl): Checks {
  return {
    "a call with the proto given instead": async () => {
      const options = ["-import-path", PROTO, "-proto", "user.proto"];
      const answers = await grpcurl.answers("user.UserService/GetUser", '{"user_id":"alice"}', ...options);
      assert.equal(answers.length, 1);
    },
    "an error with its code and details, read by reflection": async () => {
      const { code, stderr } = await grpcurl.call("user.UserService/GetUser", '{"user_id":"999"}');
      assert.equal(code, NOT_FOUND, stderr);
      assert.match(stderr, /User 999 not found[\s\S]*ResourceInfo[\s\S]*"resourceName": ?"999"/);
    },
    "an invalid argument": async () => {
      const { code, stderr } = await grpcurl.call("user.UserService/GetUser", "{}");
      assert.equal(code, INVALID_ARGUMENT, stderr);
      assert.match(stderr, /User ID is required/);
    },
    "with metadata and a deadline": async () => {
      const options = ["-H", "x-request-id: 1", "-H", "x-octets-bin: AAEC", "-max-time", "10"];
      const answers = await grpcurl.answers("user.UserService/GetUser", '{"user_id":"alice"}', ...options);
      assert.equal(answers.length, 1);
    },
    "client streaming of 500": async () => {
      const [answer] = await grpcurl.answers("user.UserService/CreateUserStream", newUsers("grpcurl", 500));
      assert.equal(answer?.createdCount, 500);
    },
    "server streaming": async () => {
      assert.equal((await grpcurl.answers("user.UserService/StreamUsers", '{"page_size":300}')).length, 300);
    },
  };
}
