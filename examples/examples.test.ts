/** Every example runs and prints what its text promises. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";

function start(t: TestContext, name: string, ...args: string[]): ChildProcess {
  const file = join(import.meta.dirname, `${name}.ts`);
  // An example that is a test reports to whoever reads its output, not to the runner of this one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, [file, ...args], { stdio: ["ignore", "pipe", "inherit"], env });
  t.after(() => child.kill());
  return child;
}

/** The lines of an example that ends by itself, without an error. */
async function linesOf(t: TestContext, name: string, ...args: string[]): Promise<string[]> {
  const child = start(t, name, ...args);
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => lines.push(line));
  const [code] = await once(child, "close");
  assert.equal(code, 0, lines.join("\n"));
  return lines;
}

/** The first line of one that goes on. */
async function firstLine(child: ChildProcess): Promise<string> {
  const [line] = await once(createInterface({ input: child.stdout! }), "line");
  return line as string;
}

/** What each example prints; those that go on have tests of their own. */
const OUTPUT: Record<string, readonly string[]> = {
  "unary-echo": ["got 42"],
  compression: ["gzip: 500 users in less than 10 KiB", "identity: 500 users in more than 10 KiB"],
  "manual-stream": ["you said hello", "you said goodbye", "created 1"],
  interceptors: [
    "/user.UserService/GetUser OK ada",
    "/user.UserService/GetUser UNAUTHENTICATED nobody",
    "refused: No authorization token provided",
  ],
  "grpc-js-definitions": ["unary: Ada Byron", "streamed: 1", "streamed: 2", "refused: NOT_FOUND User 999 not found"],
  "health-and-reflection": [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "user.UserService",
    "user.UserService: SERVING",
    "user.UserService: not SERVING",
    "user.UserService: SERVING",
    "user.UserService: not SERVING",
    "the watch ended with the server",
  ],
  "server-call": [
    "ended: OK, 1 message",
    "headers: eu",
    "trailers: GetUser",
    "ada of 127.0.0.1, within a minute: true",
    "no client sees: the password of the database is 1234",
    "the client sees: INTERNAL internal error",
    "no method: /user.UserService/DeleteUser UNIMPLEMENTED",
    "UNIMPLEMENTED",
    "1 connection, 0 handlers",
  ],
  "client-options": [
    "CONNECTING",
    "READY",
    "42 for acme",
    "DEADLINE_EXCEEDED",
    "streamed: 1",
    "streamed: 2",
    "1 connection, 0 waiting",
    "SHUTDOWN",
  ],
  "inner-calls": [
    "inherit: a deadline",
    "explicit: a deadline",
    "opt out: no deadline",
    "forward: NOT_FOUND User 999 not found",
    "onError: User 999 not found",
    "default: INTERNAL internal error",
  ],
  "interceptor-hooks": [
    "outer onCall",
    "inner onCall",
    "outer onRequest",
    "inner onRequest",
    "outer around",
    "inner around",
    "inner onResponse",
    "outer onResponse",
    "client: 1 sent, 1 back",
    "INVALID_ARGUMENT User ID is required",
  ],
  retries: ["getUser: 3 attempts", "createUser: 1 attempt, UNAVAILABLE", "createUser with a key: 3 attempts"],
  codec: [
    "as protobuf-es: true",
    "decoded: Ada Byron",
    "fits: true",
    "does not fit: -1",
    "unknown fields: 0",
    "cannot encode user.User.email: expected a string without lone surrogates, not the number 5",
    "cannot decode user.User.email: the text is not valid UTF-8",
  ],
  "error-details": ["INVALID_ARGUMENT: email must contain @", "RESOURCE_EXHAUSTED: again in 1 s, limit 100"],
};

for (const [name, lines] of Object.entries(OUTPUT)) {
  test(`${name} prints what it should`, async (t) => assert.deepEqual(await linesOf(t, name), lines));
}

test("service-tests: every test of it passes", async (t) => {
  const lines = await linesOf(t, "service-tests");
  const totals = lines.filter((line) => /^\S+ (?:pass|fail|skipped|todo|cancelled) \d+$/.test(line));
  const expected = ["pass 4", "fail 0", "cancelled 0", "skipped 0", "todo 0"];
  assert.deepEqual(
    totals.map((line) => line.replace(/^\S+ /, "")),
    expected,
    lines.join("\n"),
  );
});

test("deadlines: a timeout and a signal reach the server behind", async (t) => {
  // The servers and the client print on their own; only what each prints is certain.
  const lines = await linesOf(t, "deadlines");
  const expected = ["CANCELLED", "DEADLINE_EXCEEDED", "behind: no deadline", "behind: the deadline came along"];
  assert.deepEqual(lines.sort(), expected);
});

test("server and client: the four kinds, and an end by SIGTERM", async (t) => {
  const server = start(t, "server", "0");
  const port = /^listening on port (\d+)$/.exec(await firstLine(server))?.[1];
  assert.deepEqual(await linesOf(t, "client", `127.0.0.1:${port}`), [
    "unary: Ada Byron",
    "unary: NOT_FOUND User 999 not found",
    "streamed: ada@example.com",
    "streamed: alan@example.com",
    "created: 2",
    "chat: HELLO",
    "chat: GOODBYE",
  ]);
  server.kill("SIGTERM");
  assert.deepEqual(await once(server, "close"), [0, null]);
});

test("h2-echo speaks HTTP/2", async (t) => {
  const { port } = JSON.parse(await firstLine(start(t, "h2-echo")));
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1");
  const [answer] = await once(socket, "data");
  assert.equal((answer as Buffer)[3], 4, "the first frame is not SETTINGS");
});

test("every example is run by a test, is short, and says how to run it", () => {
  const names = globSync("*.ts", { cwd: import.meta.dirname }).filter((file) => !file.endsWith(".test.ts"));
  const tested = [...Object.keys(OUTPUT), "service-tests", "deadlines", "server", "client", "h2-echo"].map(
    (name) => `${name}.ts`,
  );
  assert.deepEqual(names.sort(), tested.sort());
  for (const name of names) {
    const text = readFileSync(join(import.meta.dirname, name), "utf8");
    assert.ok(text.split("\n").length <= 101, `${name} is long for an example`);
    assert.match(text, /npm run example/, name);
  }
});
