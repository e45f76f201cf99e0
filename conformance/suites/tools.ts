/**
 * The tools that people point at a gRPC server, against the flagship service as its own process with an embedded database:
 * grpcurl, ghz and buf curl, with the proto given to them. They are the users' first call, so each sees every kind of call.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type CommandResult, freePort, runCommand, runOrThrow, startServer } from "../tools/processes.ts";
import { type Checks, runChecks, SkippedCase, type Suite, type SuiteContext } from "./suite.ts";
import { parseGhzReport, parseJsonStream } from "./tool-output.ts";

const REPOSITORY = join(import.meta.dirname, "..", "..");
const PROTO = join(REPOSITORY, "proto");
const BUF = join(REPOSITORY, "node_modules", ".bin", "buf");
const USERS = join(REPOSITORY, "services", "users", "src", "main.ts");

/** grpcurl ends with 64 and the status code. */
const GRPCURL_NOT_FOUND = 64 + 5;
const GRPCURL_INVALID_ARGUMENT = 64 + 3;

type Json = Readonly<Record<string, unknown>>;

const chat = (count: number): string =>
  Array.from({ length: count }, (_, at) => JSON.stringify({ user_id: "alice", room_id: "r", content: `c${at}` })).join(
    "\n",
  );

/** Emails are unique in the service, so each of these runs has its own. */
const newUsers = (prefix: string, count: number): string =>
  Array.from({ length: count }, (_, at) => JSON.stringify({ email: `${prefix}${at}@example.com`, name: "n" })).join(
    "\n",
  );

function grpcurlChecks(grpcurl: string, port: number): Checks {
  const call = (method: string, stdin: string, ...options: string[]): Promise<CommandResult> => {
    const fixed = ["-plaintext", "-import-path", PROTO, "-proto", "user.proto", ...options, "-d", "@"];
    return runCommand(grpcurl, [...fixed, `127.0.0.1:${port}`, `user.UserService/${method}`], { stdin });
  };
  const answers = async (method: string, stdin: string, ...options: string[]): Promise<Json[]> => {
    const { code, stdout, stderr } = await call(method, stdin, ...options);
    assert.equal(code, 0, stderr);
    return parseJsonStream(stdout.toString());
  };
  return {
    "grpcurl: unary": async () => {
      const [answer] = await answers("GetUser", '{"user_id":"123"}');
      assert.equal(answer?.message, "User retrieved successfully");
    },
    "grpcurl: an error with its code and details": async () => {
      const { code, stderr } = await call("GetUser", '{"user_id":"999"}');
      assert.equal(code, GRPCURL_NOT_FOUND, stderr);
      assert.match(stderr, /User 999 not found[\s\S]*ResourceInfo/);
    },
    "grpcurl: an invalid argument": async () => {
      const { code, stderr } = await call("GetUser", "{}");
      assert.equal(code, GRPCURL_INVALID_ARGUMENT, stderr);
      assert.match(stderr, /User ID is required/);
    },
    "grpcurl: with metadata and a deadline": async () => {
      const options = ["-H", "x-request-id: 1", "-H", "x-octets-bin: AAEC", "-max-time", "10"];
      assert.equal((await answers("GetUser", '{"user_id":"alice"}', ...options)).length, 1);
    },
    "grpcurl: client streaming of 500": async () => {
      const [answer] = await answers("CreateUserStream", newUsers("grpcurl", 500));
      assert.equal(answer?.createdCount, 500);
    },
    "grpcurl: server streaming": async () => {
      assert.equal((await answers("StreamUsers", '{"page_size":300}')).length, 300);
    },
    "grpcurl: bidirectional": async () => {
      const received = await answers("UserChat", chat(20));
      assert.deepEqual(
        received.map(({ content }) => content),
        Array.from({ length: 20 }, (_, at) => `c${at}`),
      );
    },
  };
}

function bufChecks(port: number): Checks {
  const call = (method: string, data: string): Promise<CommandResult> => {
    const url = `http://127.0.0.1:${port}/user.UserService/${method}`;
    const fixed = ["curl", "--protocol", "grpc", "--http2-prior-knowledge", "--schema", PROTO, "--data", "@-"];
    return runCommand(BUF, [...fixed, url], { stdin: data });
  };
  const answers = async (method: string, data: string): Promise<Json[]> => {
    const { code, stdout, stderr } = await call(method, data);
    assert.equal(code, 0, stderr);
    return parseJsonStream(stdout.toString());
  };
  return {
    "buf curl: unary": async () => {
      const [answer] = await answers("GetUser", '{"userId":"123"}');
      assert.equal(answer?.message, "User retrieved successfully");
    },
    "buf curl: an error with its code and details": async () => {
      const { code, stderr } = await call("GetUser", '{"userId":"999"}');
      assert.notEqual(code, 0);
      assert.match(stderr, /not_found[\s\S]*User 999 not found[\s\S]*ResourceInfo/);
    },
    "buf curl: client streaming of 100": async () => {
      const [answer] = await answers("CreateUserStream", newUsers("buf", 100));
      assert.equal(answer?.createdCount, 100);
    },
    "buf curl: server streaming": async () => {
      assert.equal((await answers("StreamUsers", '{"pageSize":50}')).length, 50);
    },
    "buf curl: bidirectional": async () => {
      assert.equal((await answers("UserChat", chat(5))).length, 5);
    },
  };
}

function ghzChecks(ghz: string | undefined, port: number): Checks {
  const load = async (method: string, data: string, calls: number, ...options: string[]): Promise<void> => {
    if (ghz === undefined) throw new SkippedCase("there is no ghz");
    const proto = ["--insecure", "--proto", join(PROTO, "user.proto"), "--import-paths", PROTO, "--format", "json"];
    const amount = ["-n", String(calls), "-c", "20", "--connections", "4", "-d", data, ...options];
    const args = [...proto, ...amount, "--call", `user.UserService.${method}`, `127.0.0.1:${port}`];
    const { stdout } = await runOrThrow(ghz, args);
    assert.deepEqual(parseGhzReport(stdout.toString()), { OK: calls });
  };
  return {
    "ghz: 2,000 unary calls": () => load("GetUser", '{"user_id":"123"}', 2_000),
    "ghz: 200 server streams": () => load("StreamUsers", '{"page_size":20}', 200),
    "ghz: 100 client streams": () => {
      const users = [0, 1, 2].map((at) => ({ email: `g{{.RequestNumber}}x${at}@example.com`, name: "n" }));
      return load("CreateUserStream", JSON.stringify(users), 100);
    },
    "ghz: 100 bidirectional streams": () => {
      const messages = [0, 1, 2].map(() => ({ user_id: "alice", room_id: "r{{.RequestNumber}}", content: "c" }));
      return load("UserChat", JSON.stringify(messages), 100);
    },
  };
}

async function run({ tool, optionalTool }: SuiteContext): ReturnType<Suite["run"]> {
  const port = await freePort();
  const env = { ...process.env, HOST: "127.0.0.1", GRPC_PORT: String(port), DATABASE_URL: "memory://" };
  const server = await startServer(process.execPath, [USERS], port, env);
  try {
    const checks = {
      ...grpcurlChecks(tool("grpcurl"), port),
      ...bufChecks(port),
      ...ghzChecks(optionalTool("ghz"), port),
    };
    return [{ role: "server", cases: await runChecks(checks) }];
  } finally {
    await server.stop();
  }
}

export const tools: Suite = { name: "tools", isFast: false, tools: ["grpcurl"], optionalTools: ["ghz"], run };
