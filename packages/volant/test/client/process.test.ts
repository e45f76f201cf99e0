/** What keeps a process alive: calls and whoever waits for a connection, never a channel by itself. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { RpcError, StatusCode } from "volant";
import { frames } from "../../src/testing/frame-factory.ts";
import { withServer } from "./support/harness.ts";
import { ScriptedPeer } from "./support/scripted-peer.ts";

const PRELUDE = `
  import { Channel, createClient } from "volant";
  import { EchoService } from "./support/echo-service.ts";
  const channel = new Channel(process.argv[1], { backoff: { initialMs: 50, maxMs: 50 } });
  const client = createClient(EchoService, channel);
  const show = (error) => console.log(error.codeName);
`;

/**
 * Runs a program with a channel to `target`; resolves with what it printed and its exit code, "0" when all is well.
 * `onPrinted` is called when it has printed its first line.
 */
async function run(t: TestContext, target: string, program: string, onPrinted?: () => void): Promise<string> {
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", PRELUDE + program, target], {
    cwd: join(import.meta.dirname),
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill());
  let output = "";
  child.stdout.on("data", (text: Buffer) => {
    if (output === "") onPrinted?.();
    output += text;
  });
  const [code] = await once(child, "close");
  return `${output}${code}`;
}

test("an idle channel does not keep the process alive, connected or not", async (t) => {
  const { port } = await withServer(t);
  assert.equal(await run(t, `127.0.0.1:${port}`, "await channel.connect();"), "0");
  assert.equal(await run(t, `127.0.0.1:${port}`, 'console.log((await client.unary({ value: "a" })).value);'), "a\n0");
  assert.equal(await run(t, `127.0.0.1:${port}`, ""), "0");
});

test("a call under way keeps the process alive, and so does close()", async (t) => {
  const gate = Promise.withResolvers<void>();
  const { port } = await withServer(t, {
    async unary({ value }) {
      await gate.promise;
      return { value };
    },
  });
  // A timer that holds nothing fires only where something else does.
  const program = `setTimeout(() => console.log("held"), 300).unref();
    const { value } = await client.unary({ value: "a" });
    await channel.close();
    console.log(value);`;
  assert.equal(await run(t, `127.0.0.1:${port}`, program, gate.resolve), "held\na\n0");
});

test("a call that waits for a server keeps the process alive; a cancelled one does not", async (t) => {
  const target = "127.0.0.1:1";
  const waiting = 'await client.unary({ value: "a" }, { waitForReady: true, timeoutMs: 400 }).catch(show);';
  assert.equal(await run(t, target, waiting), "DEADLINE_EXCEEDED\n0");
  const cancelled = `const controller = new AbortController();
    const call = client.unary({ value: "a" }, { waitForReady: true, signal: controller.signal });
    channel.watchState((state) => state === "TRANSIENT_FAILURE" && controller.abort());
    await call.catch(show);`;
  assert.equal(await run(t, target, cancelled), "CANCELLED\n0");
});

test("§5.1.2 a call that waits for room on a connection keeps the process alive", async (t) => {
  const peer = await ScriptedPeer.listen();
  t.after(() => peer.close());
  // A timer that holds nothing fires only where something else does.
  const program = `const call = client.unary({ value: "a" });
    await channel.connect();
    setTimeout(() => console.log("held"), 300).unref();
    const { value } = await call;
    console.log(value, channel.state);`;
  const held = Promise.withResolvers<void>();
  const ended = run(t, peer.target, program, held.resolve);
  const connection = await peer.accept();
  await connection.handshake([3, 0]);
  // A process that ends early has not printed anything.
  const whatCameFirst = await Promise.race([held.promise, ended]);
  assert.equal(whatCameFirst, undefined, "the process ended while its call waited");
  connection.write(frames.settings([3, 1]));
  await connection.sees(/^DATA 1 .*end/);
  connection.answer(1, "a");
  assert.equal(await ended, "held\na READY\n0");
});

test("a call that waited for room holds the process no longer once it is cancelled, or its channel closed", async (t) => {
  const peer = await ScriptedPeer.listen();
  t.after(() => peer.close());
  const ends = {
    "it is cancelled": "controller.abort();",
    "the channel is closed": "void channel.close();",
  };
  for (const [how, end] of Object.entries(ends)) {
    const program = `const controller = new AbortController();
      const call = client.unary({ value: "a" }, { signal: controller.signal });
      await channel.connect();
      setImmediate(() => { ${end} });
      await call.catch(show);
      console.log(channel.pendingCount);`;
    const ended = run(t, peer.target, program);
    const connection = await peer.accept();
    await connection.handshake([3, 0]);
    assert.equal(await ended, "CANCELLED\n0\n0", how);
    assert.ok(!connection.log.some((text) => text.startsWith("HEADERS")), how);
  }
});

test("a call that waits for its next attempt keeps the process alive, and no longer than it waits", async (t) => {
  let calls = 0;
  const { port } = await withServer(t, {
    unary({ value }) {
      if (++calls === 1) throw new RpcError(StatusCode.UNAVAILABLE, "not yet");
      return { value };
    },
  });
  const program = `const retrying = new Channel(process.argv[1], { retry: { backoff: { initialMs: 300, maxMs: 300 } } });
    const { value } = await createClient(EchoService, retrying).unary({ value: "a" }, { idempotent: true });
    console.log(value);`;
  assert.equal(await run(t, `127.0.0.1:${port}`, program), "a\n0");
  assert.equal(calls, 2);
});

test("a server that never sends SETTINGS holds no process whose call was cancelled", async (t) => {
  const peer = await ScriptedPeer.listen();
  t.after(() => peer.close());
  const cancelled = `const controller = new AbortController();
    setTimeout(() => controller.abort(), 200);
    await client.unary({ value: "a" }, { signal: controller.signal }).catch(show);`;
  assert.equal(await run(t, peer.target, cancelled), "CANCELLED\n0");
});
