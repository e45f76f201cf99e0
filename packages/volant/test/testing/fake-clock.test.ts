/** `useFakeClock(t)`: hours of deadlines, delays and idleness pass at once, in their order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, Server, StatusCode } from "../../src/index.ts";
import { createTestChannel, eventually, useFakeClock } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { echo, failureOf } from "../server/support/lab-service.ts";

test("a deadline of an hour passes when the test says so, on both sides, and not before", async (t) => {
  const clock = useFakeClock(t);
  const server = new Server();
  const log: string[] = [];
  server.add(Lab, {
    ...echo,
    unary: (_request, call) =>
      new Promise((_, reject) =>
        call.signal.addEventListener("abort", () => {
          log.push("handler");
          reject(call.signal.reason);
        }),
      ),
  });
  const channel = createTestChannel(server);
  const client = createClient(Lab, channel);
  const late = failureOf(client.unary({}, { timeoutMs: 3_600_000 }), StatusCode.DEADLINE_EXCEEDED).then(() =>
    log.push("client"),
  );
  await eventually("the handler to run", () => server.handlerCount === 1);
  await clock.advance(3_599_996);
  assert.deepEqual(log, []);
  await clock.advance(4);
  await late;
  await eventually("the handler to hear of it", () => log.length === 2);
  assert.equal(clock.elapsedMs, 3_600_000);
  await channel.close();
  await server.close();
});

test("a delay and a connection's idleness are of the same clock", async (t) => {
  const clock = useFakeClock(t);
  const server = new Server({ maxConnectionIdleMs: 60_000 });
  server.add(Lab, echo);
  const channel = createTestChannel(server, {
    faults: ({ index }) => (index === 0 ? { kind: "delay", ms: 30_000 } : undefined),
  });
  const client = createClient(Lab, channel);
  let answer: string | undefined;
  void client.unary({ text: "a" }).then(({ text }) => {
    answer = text;
  });
  await clock.advance(29_000);
  assert.equal(answer, undefined);
  await clock.advance(2_000);
  assert.equal(answer, "echo a");
  assert.equal(server.connectionCount, 1);
  await clock.advance(150_000);
  await eventually("the idle connection to be drained", () => server.connectionCount === 0);
  await channel.close();
  await server.close();
});
