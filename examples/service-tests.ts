/**
 * Tests of a service without a port: a real connection over memory, faults on it, and time that the test moves.
 * `npm run example -- service-tests`; in a project of your own this is a `*.test.ts` that `node --test` finds.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createClient, type RpcError, Server, StatusCode } from "volant";
import { createTestChannel, type TestChannelOptions, useFakeClock } from "volant/testing";
import { UserService } from "../services/users/src/gen/user_pb.ts";

function usersOver(t: TestContext, options: TestChannelOptions = {}) {
  const server = new Server();
  server.add(
    UserService,
    {
      getUser({ userId }, call) {
        if (userId !== "slow") return { user: { id: userId } };
        return new Promise((_, reject) => call.signal.addEventListener("abort", () => reject(call.signal.reason)));
      },
      *streamUsers() {
        for (const id of ["1", "2", "3"]) yield { user: { id } };
      },
    },
    { partial: true },
  );
  const channel = createTestChannel(server, options);
  t.after(async () => {
    await channel.close();
    await server.close();
  });
  return createClient(UserService, channel);
}

const hasCode = (code: StatusCode) => (error: RpcError) => error.code === code;

test("a call is a call: framing, limits and deadlines are the real ones", async (t) => {
  const users = usersOver(t, { maxReceiveMessageBytes: 1_024 });
  assert.equal((await users.getUser({ userId: "42" })).user?.id, "42");
  await assert.rejects(users.getUser({ userId: "x".repeat(2_000) }), hasCode(StatusCode.RESOURCE_EXHAUSTED));
});

test("a connection that breaks in the middle of a stream is UNAVAILABLE, behind what had arrived", async (t) => {
  const users = usersOver(t, { faults: () => ({ kind: "disconnect", afterMessages: 2 }) });
  const ids: (string | undefined)[] = [];
  const reading = async () => {
    for await (const { user } of users.streamUsers({})) ids.push(user?.id);
  };
  await assert.rejects(reading(), hasCode(StatusCode.UNAVAILABLE));
  assert.deepEqual(ids, ["1", "2"]);
});

test("a lost connection is made good by a retry", async (t) => {
  const users = usersOver(t, {
    retry: { maxAttempts: 3 },
    faults: ({ index }) => (index === 0 ? { kind: "disconnect" } : undefined),
  });
  assert.equal((await users.getUser({ userId: "42" })).user?.id, "42");
});

test("an hour passes at once", async (t) => {
  const clock = useFakeClock(t); // before the server and the channel are made
  const users = usersOver(t);
  const late = assert.rejects(
    users.getUser({ userId: "slow" }, { timeoutMs: 3_600_000 }),
    hasCode(StatusCode.DEADLINE_EXCEEDED),
  );
  await clock.advance(3_600_000);
  await late;
});
