/** The service through `buf curl`, the first tool people try: all RPCs from the command line, with the proto as schema. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type RunningService, startService } from "./support/running-service.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const cache = mkdtempSync(join(tmpdir(), "buf-curl-"));

let service: RunningService;

before(async () => {
  service = await startService();
});

after(async () => {
  await service.close();
  rmSync(cache, { recursive: true, force: true });
});

interface Run {
  readonly exitCode: number | null;
  readonly stderr: string;
  /** The JSON messages it printed. */
  readonly messages: Record<string, unknown>[];
}

/** Runs `buf curl` with the requests on stdin. */
function curl(method: string, ...requests: object[]): Promise<Run> {
  const url = `http://${service.address}/user.UserService/${method}`;
  const flags = ["curl", "--protocol", "grpc", "--http2-prior-knowledge", "--schema", "proto", "-d", "@-", url];
  const child = spawn(join(ROOT, "node_modules/.bin/buf"), flags, {
    cwd: ROOT,
    env: { ...process.env, BUF_CACHE_DIR: cache },
  });
  child.stdin.end(requests.map((request) => JSON.stringify(request)).join("\n"));
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, stderr, messages: parseMessages(stdout) }));
  });
}

/** buf prints one indented JSON object after the other. */
function parseMessages(stdout: string): Record<string, unknown>[] {
  const joined = stdout.trim().replaceAll(/\}\s*\n\{/g, "},{");
  return JSON.parse(`[${joined}]`) as Record<string, unknown>[];
}

async function answers(method: string, ...requests: object[]): Promise<Record<string, unknown>[]> {
  const { exitCode, stderr, messages } = await curl(method, ...requests);
  assert.equal(exitCode, 0, stderr);
  return messages;
}

describe("with buf curl", () => {
  it("GetUser", async () => {
    const [answer] = await answers("GetUser", { userId: "123", includeMetadata: true });
    assert.partialDeepStrictEqual(answer, {
      user: { id: "123", metadata: { team: "sales" } },
      message: "User retrieved successfully",
    });
  });

  it("ListUsers", async () => {
    const [answer] = await answers("ListUsers", { pageSize: 1, filter: "alice" });
    assert.partialDeepStrictEqual(answer, { users: [{ id: "alice" }], totalCount: 1, page: 1, pageSize: 1 });
  });

  it("CreateUser, UpdateUser, DeleteUser", async () => {
    const [created] = await answers("CreateUser", { email: "curl@buf.example", name: "Curl" });
    const user = created?.user as { id: string };
    const [updated] = await answers("UpdateUser", { userId: user.id, name: "Renamed", updateMask: "name" });
    assert.partialDeepStrictEqual(updated, { user: { name: "Renamed", email: "curl@buf.example" } });
    assert.deepEqual(await answers("DeleteUser", { userId: user.id }), [{}]);
  });

  it("StreamUsers", async () => {
    const messages = await answers("StreamUsers", { filter: "@example.com", sortBy: "name", pageSize: 3 });
    assert.equal(messages.length, 3);
    for (const { message } of messages) assert.equal(message, "User streamed successfully");
  });

  it("CreateUserStream", async () => {
    const items = [
      { email: "a@bufbulk.example", name: "A" },
      { email: "broken", name: "B" },
    ];
    const [answer] = await answers("CreateUserStream", ...items);
    assert.partialDeepStrictEqual(answer, {
      user: { email: "a@bufbulk.example" },
      createdCount: 1,
      failures: [{ index: 1, code: 3, reason: "email must contain an @" }],
    });
  });

  it("UserChat", async () => {
    const first = { userId: "curl", roomId: "curl", content: "one" };
    const messages = await answers("UserChat", first, { roomId: "curl", content: "two" });
    assert.deepEqual(
      messages.map(({ userId, content, sequence }) => [userId, content, sequence]),
      [
        ["curl", "one", "1"],
        ["curl", "two", "2"],
      ],
    );
  });

  it("an error, with its details", async () => {
    const { exitCode, stderr } = await curl("GetUser", { userId: "999" });
    assert.notEqual(exitCode, 0);
    const error = JSON.parse(stderr) as { code: string; message: string; details: { type: string }[] };
    assert.equal(error.code, "not_found");
    assert.equal(error.message, "User 999 not found");
    assert.equal(error.details[0]?.type, "google.rpc.ResourceInfo");
  });
});
