/** Our end of the thread, against threads that misbehave on purpose. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { SqlError, StorageOpenError, StorageUnavailableError } from "../storage-error.ts";
import { WorkerClient } from "./worker-client.ts";

/** A thread that opens as `opening` says and runs `onRequest` for each request. */
function scripted(onRequest: string, opening = "parentPort.postMessage({ id: 0, rows: [] })"): URL {
  const source = `
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", (request) => { ${onRequest} });
    ${opening};`;
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}

const open = (entry: URL): Promise<WorkerClient> => WorkerClient.open({ clusterFolder: undefined }, entry);

it("a thread that crashes rejects all that is pending and all that follows with the reason", async () => {
  for (const [crash, reason] of [
    ["throw new Error('out of memory\\nstack')", /stopped \(out of memory\): restart the service$/],
    ["process.exit(3)", /stopped \(its thread ended with code 3\): restart the service$/],
  ] as const) {
    const client = await open(scripted(`if (request.text === "crash") ${crash};`));
    const pending = [client.query("waits", []), client.query("crash", []), client.script("waits too")];
    for (const result of await Promise.allSettled(pending)) {
      assert.equal(result.status, "rejected");
      assert.ok(result.reason instanceof StorageUnavailableError);
      assert.match(result.reason.message, reason);
    }
    await assert.rejects(client.query("later", []), reason);
    await assert.rejects(client.close(), StorageUnavailableError);
  }
});

it("an engine that does not start is a StorageOpenError of one line, and its thread is ended", async () => {
  const failing = "parentPort.postMessage({ id: 0, error: { message: 'no memory\\nat wasm' } })";
  for (const entry of [scripted("", failing), scripted("", "throw new Error('no memory\\nat wasm')")]) {
    await assert.rejects(open(entry), (error) => {
      assert.ok(error instanceof StorageOpenError);
      assert.match(error.message, /^the embedded database could not start in memory: .*no memory/);
      return !error.message.includes("\n");
    });
  }
});

it("answers find their requests by id, in whatever order they come", async () => {
  const client = await open(
    scripted(`
      globalThis.held ??= [];
      held.push(request);
      if (held.length === 3) {
        for (const { id, text } of held.reverse()) {
          parentPort.postMessage(text === "b" ? { id, error: { message: text, code: "23505", constraint: "c" } } : { id, rows: [{ text }] });
        }
      }`),
  );
  const [a, b, c] = await Promise.allSettled(["a", "b", "c"].map((text) => client.query(text, [])));
  assert.deepEqual(a, { status: "fulfilled", value: [{ text: "a" }] });
  assert.ok(b?.status === "rejected" && b.reason instanceof SqlError);
  assert.deepEqual([b.reason.code, b.reason.constraint], ["23505", "c"]);
  assert.deepEqual(c, { status: "fulfilled", value: [{ text: "c" }] });
  await client.terminate();
});
