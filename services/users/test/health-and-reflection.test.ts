/** What the service tells of itself: health by name, and its descriptors. */

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Channel, createClient, StatusCode } from "volant";
import { Health, HealthCheckResponse_ServingStatus, ServerReflection } from "volant/services";
import type { ReadinessListener } from "../src/readiness.ts";
import { createUsersServer } from "../src/service.ts";
import { MemoryStorage } from "./support/memory-storage.ts";
import { fault } from "./support/rpc-faults.ts";

async function start(t: TestContext, reflection?: boolean) {
  const listeners: ReadinessListener[] = [];
  const server = createUsersServer({
    storage: new MemoryStorage(),
    pageTokenKey: "a key of the tests",
    readiness: { watch: (listener) => listeners.push(listener) },
    ...(reflection !== undefined && { reflection }),
  });
  const { port } = await server.listen({ host: "127.0.0.1" });
  const channel = new Channel(`127.0.0.1:${port}`);
  t.after(async () => {
    await channel.close();
    await server.close();
  });
  return {
    server,
    channel,
    setReady: (isReady: boolean): void => {
      for (const listener of listeners) listener(isReady, undefined);
    },
  };
}

/** Names of numbers: an erasable enum has none. */
const NAMES = new Map<number, string>(
  Object.entries(HealthCheckResponse_ServingStatus).map(([name, of]) => [of, name]),
);

async function statuses(channel: Channel): Promise<Record<string, string | undefined>> {
  const listed = await createClient(Health, channel).list({});
  return Object.fromEntries(Object.entries(listed.statuses).map(([name, { status }]) => [name, NAMES.get(status)]));
}

describe("health", () => {
  it("has the server, its service, liveness and readiness, all SERVING from the start", async (t) => {
    const { channel } = await start(t);
    assert.deepEqual(await statuses(channel), {
      "": "SERVING",
      liveness: "SERVING",
      readiness: "SERVING",
      "user.UserService": "SERVING",
    });
  });

  it("without its storage the service is not ready, and alive all the same", async (t) => {
    const { channel, setReady } = await start(t);
    setReady(false);
    assert.deepEqual(await statuses(channel), {
      "": "SERVING",
      liveness: "SERVING",
      readiness: "NOT_SERVING",
      "user.UserService": "NOT_SERVING",
    });
    setReady(true);
    assert.equal((await statuses(channel)).readiness, "SERVING");
  });

  it("a drain turns readiness first, and a storage that answers again turns nothing back", async (t) => {
    const { channel, server, setReady } = await start(t);
    const watch = createClient(Health, channel).watch({ service: "readiness" });
    const seen: string[] = [];
    let drained: Promise<void> | undefined;
    for await (const { status } of watch) {
      seen.push(NAMES.get(status) ?? "");
      drained ??= server.drain();
      setReady(true);
    }
    await drained;
    assert.deepEqual(seen, ["SERVING", "NOT_SERVING"]);
  });
});

describe("reflection", () => {
  const question = [{ messageRequest: { case: "fileContainingSymbol", value: "user.UserService.GetUser" } }] as const;

  it("describes the service", async (t) => {
    const { channel } = await start(t);
    for await (const answer of createClient(ServerReflection, channel).serverReflectionInfo(question)) {
      assert.equal(answer.messageResponse.case, "fileDescriptorResponse");
    }
  });

  it("can be turned off", async (t) => {
    const { channel } = await start(t, false);
    const answers = createClient(ServerReflection, channel).serverReflectionInfo(question);
    await assert.rejects(answers[Symbol.asyncIterator]().next(), fault({ code: StatusCode.UNIMPLEMENTED }));
  });
});
