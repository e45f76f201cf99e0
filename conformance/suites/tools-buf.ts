/**
 * buf curl, which learns what there is by reflection unless it is given a schema, and can be told by which version.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type CommandResult, runCommand } from "../tools/processes.ts";
import type { Checks } from "./suite.ts";
import { parseJsonStream } from "./tool-output.ts";
import { casesOf, chatMessages, LISTED_SERVICES, newUsers, type Target } from "./tools-target.ts";

const REPOSITORY = join(import.meta.dirname, "..", "..");
const BUF = join(REPOSITORY, "node_modules", ".bin", "buf");

type Run = (path: string, options?: readonly string[], data?: string) => Promise<CommandResult>;

function runsOf({ port, files }: Target): Run {
  const base = files === undefined ? `http://127.0.0.1:${port}` : `https://127.0.0.1:${port}`;
  const security = files === undefined ? ["--http2-prior-knowledge"] : ["--cacert", files.ca];
  return (path, options = [], data) => {
    const input = data === undefined ? [] : ["--data", "@-"];
    const args = ["curl", "--protocol", "grpc", ...security, ...options, ...input, `${base}${path}`];
    return runCommand(BUF, args, data === undefined ? {} : { stdin: data });
  };
}

/** By both versions of reflection, and without it. */
export function bufBasics(target: Target): Checks {
  const run = runsOf(target);
  const getUser = async (...options: string[]): Promise<void> => {
    const { code, stdout, stderr } = await run("/user.UserService/GetUser", options, '{"userId":"123"}');
    assert.equal(code, 0, stderr);
    assert.equal(parseJsonStream(stdout.toString())[0]?.message, "User retrieved successfully");
  };
  return casesOf("buf curl", target, {
    "list of the services": async () => {
      const { code, stdout, stderr } = await run("", ["--list-services"]);
      assert.equal(code, 0, stderr);
      assert.deepEqual(stdout.toString().trim().split("\n").sort(), [...LISTED_SERVICES]);
    },
    "unary by reflection v1": () => getUser("--reflect-protocol", "grpc-v1"),
    "unary by reflection v1alpha": () => getUser("--reflect-protocol", "grpc-v1alpha"),
    "unary with the schema given": () => getUser("--schema", join(REPOSITORY, "proto")),
  });
}

export function bufChecks(target: Target): Checks {
  const run = runsOf(target);
  const answers = async (method: string, data: string) => {
    const { code, stdout, stderr } = await run(`/user.UserService/${method}`, [], data);
    assert.equal(code, 0, stderr);
    return parseJsonStream(stdout.toString());
  };
  const more = casesOf("buf curl", target, {
    "list of the methods": async () => {
      const { code, stdout, stderr } = await run("", ["--list-methods"]);
      assert.equal(code, 0, stderr);
      assert.match(stdout.toString(), /user\.UserService\/CreateUserStream/);
    },
    "an error with its code and details": async () => {
      const { code, stderr } = await run("/user.UserService/GetUser", [], '{"userId":"999"}');
      assert.notEqual(code, 0);
      assert.match(stderr, /not_found[\s\S]*User 999 not found[\s\S]*ResourceInfo/);
    },
    "client streaming of 100": async () => {
      const [answer] = await answers("CreateUserStream", newUsers("buf", 100));
      assert.equal(answer?.createdCount, 100);
    },
    "server streaming": async () => assert.equal((await answers("StreamUsers", '{"pageSize":50}')).length, 50),
    bidirectional: async () => assert.equal((await answers("UserChat", chatMessages(5))).length, 5),
  });
  return { ...bufBasics(target), ...more };
}
