// Owns: the proof that the README's first minutes are true: what `npm start` prints, and the client that calls it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { firstCommand, readyLine } from "../services/users/src/ready-line.ts";
import { REPOSITORY, snippetsOf } from "./documents.ts";

const readme = readFileSync(join(REPOSITORY, "README.md"), "utf8");
const ADDRESS = "localhost:50051";

test("the README shows what npm start prints", () => {
  const address = "127.0.0.1:50051";
  const command = firstCommand(address, { hasReflection: true, tls: undefined });
  const printed = `\n${readyLine(address, { database: "pglite" })}\n${command}\n`;
  assert.ok(readme.includes(printed), `expected${printed}`);
});

test("the README names the oldest Node of the library, as its manifest has it", () => {
  const manifest = readFileSync(join(REPOSITORY, "packages/volant/package.json"), "utf8");
  const { engines } = JSON.parse(manifest) as { engines: { node: string } };
  assert.ok(readme.includes(`The library needs Node ${engines.node.replace(">=", "")} or newer`));
});

test("the README's client calls the service with its embedded database", async (t) => {
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const env = { ...inherited, GRPC_PORT: "0", HOST: "127.0.0.1", DATABASE_URL: "memory://", LOG_LEVEL: "error" };
  const service = spawn(process.execPath, [join(REPOSITORY, "services/users/src/main.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
    env,
  });
  t.after(async () => {
    if (service.exitCode !== null || service.signalCode !== null) return;
    service.kill("SIGTERM");
    await once(service, "exit");
  });
  const lines = createInterface({ input: service.stdout });
  const [ready] = await Promise.race([once(lines, "line"), once(lines, "close")]);
  const address = /^ready grpc=(\S+)/.exec(String(ready))?.[1];
  assert.ok(address, `the service did not start: ${ready}`);

  const program = snippetsOf(readme).find(({ language, code }) => language === "ts" && code.includes(ADDRESS));
  assert.ok(program, `the README has no client of ${ADDRESS}`);
  const client = spawn(process.execPath, ["--input-type=module-typescript"], {
    cwd: REPOSITORY,
    stdio: ["pipe", "pipe", "inherit"],
    env: inherited,
  });
  t.after(() => client.kill());
  // Slow machines: the page's deadline is for a server that has answered before.
  client.stdin.end(program.code.replace(ADDRESS, address).replace("timeoutMs: 200", "timeoutMs: 60_000"));
  const [printed, [code]] = await Promise.all([text(client.stdout), once(client, "exit")]);
  assert.equal(code, 0, printed);
  assert.match(printed, /^(?:\S+@\S+\n)+$/, "one address a user, and nothing else");
});
