// Owns: the proof of what bootstrap promises, with a stand-in for npm that lays out what a real install leaves behind.

import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";

const INSTALLS = `#!/bin/sh
[ "$1" = ci ] || exit 9
echo run >> npm.log
echo "npm output"
mkdir -p node_modules/.bin node_modules/node
echo '{ "version": "24.1.0" }' > node_modules/node/package.json
printf '#!/bin/sh\\necho v24.1.0\\n' > node_modules/.bin/node
chmod +x node_modules/.bin/node
touch node_modules/.package-lock.json
`;

function createWorkspace(t: TestContext, npm: string): string {
  const root = mkdtempSync(join(tmpdir(), "bootstrap-"));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "scripts"));
  mkdirSync(join(root, "fake-bin"));
  copyFileSync(join(import.meta.dirname, "bootstrap.mjs"), join(root, "scripts", "bootstrap.mjs"));
  writeFileSync(join(root, "package-lock.json"), "{}");
  writeFileSync(join(root, "fake-bin", "npm"), npm, { mode: 0o755 });
  return root;
}

function spawnBootstrap(root: string): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [join(root, "scripts", "bootstrap.mjs")], {
    env: { ...process.env, PATH: `${join(root, "fake-bin")}${delimiter}${process.env.PATH ?? ""}` },
  });
}

async function bootstrap(root: string): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawnBootstrap(root);
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { status, stdout, stderr };
}

const installs = (root: string): number =>
  existsSync(join(root, "npm.log")) ? readFileSync(join(root, "npm.log"), "utf8").split("\n").length - 1 : 0;

test("a fresh clone is installed once, with nothing on stdout", async (t) => {
  const root = createWorkspace(t, INSTALLS);
  const first = await bootstrap(root);
  assert.deepEqual([first.status, first.stdout, installs(root)], [0, "", 1], first.stderr);
  assert.deepEqual(await bootstrap(root), { status: 0, stdout: "", stderr: "" });
  assert.equal(installs(root), 1);
});

test("who waits for npm is told that it is at work, on stderr", async (t) => {
  const root = createWorkspace(t, INSTALLS.replace('echo "npm output"', "while [ ! -e told ]; do sleep 0.1; done"));
  const child = spawnBootstrap(root);
  let stderr = "";
  for await (const chunk of child.stderr.setEncoding("utf8")) {
    stderr += chunk;
    if (/npm ci has been at work for \d+ s/.test(stderr)) writeFileSync(join(root, "told"), "");
  }
  assert.match(
    stderr,
    /^bootstrap: installing dependencies [^\n]+\n(?:bootstrap: npm ci has been at work for \d+ s\n)+/,
  );
  assert.match(stderr, /\nbootstrap: installed in \d+ s\n$/);
});

test("a lock file newer than the install is installed again, and one that is not stays", async (t) => {
  const root = createWorkspace(t, INSTALLS);
  await bootstrap(root);
  const later = new Date(Date.now() + 60_000);
  utimesSync(join(root, "package-lock.json"), later, later);
  await bootstrap(root);
  assert.equal(installs(root), 2);
});

test("two at once install once, and both end well", async (t) => {
  const root = createWorkspace(t, INSTALLS);
  const results = await Promise.all([bootstrap(root), bootstrap(root)]);
  assert.deepEqual([results.map((result) => result.status), installs(root)], [[0, 0], 1]);
  assert.equal(existsSync(join(root, ".bootstrap-lock")), false);
});

test("a lock left by a process that is gone does not block", async (t) => {
  const root = createWorkspace(t, INSTALLS);
  const gone = spawn(process.execPath, ["--version"]);
  await new Promise((resolve) => gone.once("close", resolve));
  mkdirSync(join(root, ".bootstrap-lock"));
  writeFileSync(join(root, ".bootstrap-lock", "pid"), String(gone.pid));
  assert.equal((await bootstrap(root)).status, 0);
});

test("a failed install exits with 1, says what to do and leaves no lock", async (t) => {
  const root = createWorkspace(t, "#!/bin/sh\nexit 7\n");
  const result = await bootstrap(root);
  assert.equal(result.status, 1);
  assert.match(result.stderr, /npm ci failed/);
  assert.equal(existsSync(join(root, ".bootstrap-lock")), false);
});

test("a Node that does not run here stops the start, and the next one too", async (t) => {
  const root = createWorkspace(t, INSTALLS.replace("echo v24.1.0", "exit 127"));
  for (let attempt = 0; attempt < 2; attempt++) {
    const result = await bootstrap(root);
    assert.equal(result.status, 1);
    assert.match(result.stderr, /Install Node 24 yourself and link it/);
  }
});
