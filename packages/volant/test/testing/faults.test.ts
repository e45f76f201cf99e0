/** `createTestChannel(server, { faults })`: each fault is seen by both sides as the real one would be. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type CallEnd, type CallOptions, createClient, Server, StatusCode } from "../../src/index.ts";
import { createTestChannel, eventually, type TestFault, type TestFaults } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { echo, failureOf, type LabHandlers } from "../server/support/lab-service.ts";

const { UNAVAILABLE, INTERNAL, RESOURCE_EXHAUSTED, UNKNOWN, CANCELLED } = StatusCode;

function set(t: TestContext, faults: TestFaults, handlers: Partial<LabHandlers> = {}) {
  const ends: CallEnd[] = [];
  const server = new Server({ interceptors: [() => ({ onCall: (call) => call.onEnd((end) => ends.push(end)) })] });
  server.add(Lab, { ...echo, ...handlers });
  const channel = createTestChannel(server, { faults });
  t.after(async () => {
    await channel.close();
    await server.close();
  });
  return { client: createClient(Lab, channel), channel, server, ends };
}

/** Each fault for the call of its place, none afterwards. */
function inOrder(...faults: (TestFault | undefined)[]): TestFaults {
  return ({ index }) => faults[index];
}

/** What arrived, and how it ended. */
async function read(stream: AsyncIterable<{ text: string }>): Promise<{ texts: string[]; error: unknown }> {
  const texts: string[] = [];
  try {
    for await (const { text } of stream) texts.push(text);
    return { texts, error: undefined };
  } catch (error) {
    return { texts, error };
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code;
}

test("faults are asked for by index and path; without one a call is what it always is", async (t) => {
  const seen: string[] = [];
  const { client } = set(t, ({ index, path }) => void seen.push(`${index} ${path}`));
  assert.equal((await client.unary({ text: "a" })).text, "echo a");
  assert.equal((await read(client.download({ text: "b", number: 3 }))).texts.length, 3);
  assert.deepEqual(seen, ["0 /volant.test.Lab/Unary", "1 /volant.test.Lab/Download"]);
});

test("a megabyte each way passes through, at the pace of who reads", async (t) => {
  const { client } = set(t, () => undefined);
  const body = new Uint8Array(1 << 20).fill(7);
  const answers: number[] = [];
  const requests = [{ body }, { body }, { body }];
  for await (const { text } of client.chat(requests.map((request) => ({ ...request, text: "x".repeat(100_000) })))) {
    answers.push(text.length);
  }
  assert.deepEqual(answers, Array(3).fill(100_005));
  assert.equal((await client.unary({ body })).body.length, body.length);
});

test("headers in several frames pass through whole", async (t) => {
  const metadata = Object.fromEntries(Array.from({ length: 4 }, (_, at) => [`x-${at}`, "a".repeat(5_000)]));
  const server = new Server({ http2: { maxHeaderListBytes: 65_536 } });
  server.add(Lab, { ...echo, unary: (_request, call) => ({ number: String(call.metadata.get("x-3")).length }) });
  const channel = createTestChannel(server, { faults: () => undefined });
  t.after(async () => {
    await channel.close();
    await server.close();
  });
  assert.equal((await createClient(Lab, channel).unary({}, { metadata })).number, 5_000);
});

test("reset: the client sees the code's status, the server a cancelled call", async (t) => {
  const waits: Partial<LabHandlers> = {
    unary: (_request, call) =>
      new Promise((_, reject) => call.signal.addEventListener("abort", () => reject(call.signal.reason))),
  };
  const { client, ends } = set(t, inOrder({ kind: "reset" }, { kind: "reset", code: "ENHANCE_YOUR_CALM" }), waits);
  await failureOf(client.unary({}), INTERNAL);
  await failureOf(client.unary({}), RESOURCE_EXHAUSTED);
  await eventually("the server to hear of it", () => ends.length === 2);
  assert.deepEqual(
    ends.map(({ status, cancelledBy }) => [status.code, cancelledBy]),
    Array(2).fill([CANCELLED, "peer"]),
  );
});

test("reset after messages: those before it arrive", async (t) => {
  const { client } = set(t, inOrder({ kind: "reset", code: "CANCEL", afterMessages: 2 }));
  const { texts, error } = await read(client.download({ text: "m", number: 100 }));
  assert.deepEqual(texts, ["m 0", "m 1"]);
  assert.equal(codeOf(error), CANCELLED);
});

test("a refused stream never reaches the server, and is tried again by itself", async (t) => {
  const { client, ends } = set(t, inOrder({ kind: "reset", code: "REFUSED_STREAM" }));
  assert.equal((await client.unary({ text: "a" })).text, "echo a");
  assert.equal(ends.length, 1);
});

test("goAway: a call that was not processed goes to another connection, one that was finishes on this", async (t) => {
  for (const processed of [false, true]) {
    const { client, ends } = set(t, inOrder({ kind: "goAway", processed, debugData: "max_age" }));
    assert.equal((await client.unary({ text: "a" })).text, "echo a");
    assert.equal((await client.unary({ text: "b" })).text, "echo b");
    assert.equal(ends.length, 2);
  }
});

test("truncateTrailers: the messages arrive, the status does not, the connection is gone", async (t) => {
  const { client, server } = set(t, inOrder({ kind: "truncateTrailers" }));
  const { texts, error } = await read(client.download({ text: "m", number: 2 }));
  assert.equal(texts.length, 2);
  assert.equal(codeOf(error), UNAVAILABLE);
  await eventually("the server to forget the connection", () => server.connectionCount === 0);
  assert.equal((await client.unary({ text: "next" })).text, "echo next");
});

test("dropTrailers: an end without grpc-status is UNKNOWN, behind messages and alone", async (t) => {
  const nothing: Partial<LabHandlers> = {
    upload() {
      throw new Error("no matter what");
    },
  };
  const { client } = set(t, inOrder({ kind: "dropTrailers" }, undefined, { kind: "dropTrailers" }), nothing);
  const { texts, error } = await read(client.download({ text: "m", number: 2 }));
  assert.deepEqual([texts.length, codeOf(error)], [2, UNKNOWN]);
  assert.equal((await client.unary({ text: "next" })).text, "echo next");
  await failureOf(client.unary({ text: "a" }), UNKNOWN);
});

test("disconnect: before the call, and after messages", async (t) => {
  const { client } = set(t, inOrder({ kind: "disconnect" }, { kind: "disconnect", afterMessages: 1 }));
  await failureOf(client.unary({ text: "a" }), UNAVAILABLE);
  const { texts, error } = await read(client.download({ text: "m", number: 100 }, { waitForReady: true }));
  assert.deepEqual([texts[0], codeOf(error)], ["m 0", UNAVAILABLE]);
  assert.equal((await client.unary({ text: "next" }, { waitForReady: true })).text, "echo next");
});

test("delay: the answer is held back, and others pass it", async (t) => {
  const order: string[] = [];
  const options: CallOptions = {};
  const { client } = set(t, inOrder({ kind: "delay", ms: 50 }));
  const late = client.unary({ text: "late" }, options).then(({ text }) => order.push(text));
  await client.unary({ text: "soon" }).then(({ text }) => order.push(text));
  await late;
  assert.deepEqual(order, ["echo soon", "echo late"]);
});
