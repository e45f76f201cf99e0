/**
 * The contract of the UserService as it is promised to its users: each rule with its exact texts, over TCP, against a
 * real engine, through our own client. The streams; `mission.test.ts` has the rest.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Channel, type Client, createClient, StatusCode } from "volant";
import { UserService } from "../src/gen/user_pb.ts";
import { drain, Outbox, take } from "./support/outbox.ts";
import { fault } from "./support/rpc-faults.ts";
import { type RunningService, startService } from "./support/running-service.ts";

let service: RunningService;
let channel: Channel;
let users: Client<typeof UserService>;

before(async () => {
  service = await startService();
  channel = new Channel(service.address);
  users = createClient(UserService, channel);
});

after(async () => {
  await channel.close();
  await service.close();
  assert.deepEqual(service.faults, [], "no handler failed in a way that was not meant for its caller");
});

const invalid = (message: string | RegExp, ...fields: string[]) =>
  fault({ code: StatusCode.INVALID_ARGUMENT, message, fields });

async function createUser(email: string, name = email): Promise<string> {
  const { user } = await users.createUser({ email, name });
  assert.ok(user);
  return user.id;
}

describe("StreamUsers", () => {
  const COUNT = 1200;

  before(async () => {
    const batch = Array.from({ length: COUNT }, (_, n) => ({
      email: `stream${n}@stream.example`,
      name: `Stream ${String(n).padStart(4, "0")}`,
      roles: [],
      metadata: {},
    }));
    await service.storage.users.createMany(batch);
  });

  const query = { filter: "@stream.example", sortBy: "name" };

  it("with page_size 0 streams every match, each with `User streamed successfully`", async () => {
    let count = 0;
    for await (const { user, message } of users.streamUsers(query)) {
      assert.equal(message, "User streamed successfully");
      assert.equal(user?.email, `stream${count++}@stream.example`);
    }
    assert.equal(count, COUNT);
  });

  it("with page_size N streams at most N, without a cap", async () => {
    let count = 0;
    for await (const _ of users.streamUsers({ ...query, pageSize: 1100 })) count++;
    assert.equal(count, 1100);
  });

  it("skips with page and page_token as ListUsers does", async () => {
    const names = async (request: { page?: number; pageSize: number; pageToken?: string }): Promise<string[]> => {
      const found: string[] = [];
      for await (const { user } of users.streamUsers({ ...query, ...request })) found.push(user?.name ?? "");
      return found;
    };
    assert.deepEqual(await names({ page: 3, pageSize: 2 }), ["Stream 0004", "Stream 0005"]);
    const { nextPageToken: pageToken } = await users.listUsers({ ...query, pageSize: 4 });
    assert.deepEqual(await names({ pageSize: 1, pageToken }), ["Stream 0004"]);
  });

  it("refuses what ListUsers refuses", async () => {
    const refused = invalid(/^page_size/, "page_size");
    await assert.rejects(drain(users.streamUsers({ pageSize: -1 })[Symbol.asyncIterator]()), refused);
  });

  it("ends on the server when the client stops reading", async () => {
    const ended = service.ended("StreamUsers");
    for await (const _ of users.streamUsers(query)) break;
    assert.equal((await ended).status.code, StatusCode.CANCELLED);
  });
});

describe("CreateUserStream", () => {
  it("gives the last created user, the count, and which items failed and why", async () => {
    await createUser("exists@bulk.example");
    const answer = await users.createUserStream([
      { email: "first@bulk.example", name: "First" },
      { email: "broken", name: "Broken" },
      { email: "EXISTS@bulk.example", name: "Exists" },
      { email: "last@bulk.example", name: "Last" },
      { email: "first@bulk.example", name: "Again" },
    ]);
    assert.equal(answer.user?.email, "last@bulk.example");
    assert.equal(answer.createdCount, 2);
    assert.deepEqual(
      answer.failures.map(({ index, code, reason }) => [index, code, reason]),
      [
        [1, StatusCode.INVALID_ARGUMENT, "email must contain an @"],
        [2, StatusCode.ALREADY_EXISTS, "A user with the email EXISTS@bulk.example already exists"],
        [4, StatusCode.ALREADY_EXISTS, "A user with the email first@bulk.example already exists"],
      ],
    );
  });

  it("takes a stream of any length and loses no good item", async () => {
    function* items() {
      for (let n = 0; n < 2500; n++) {
        yield { email: n % 100 === 0 ? "broken" : `many${n}@bulk2.example`, name: `Many ${n}` };
      }
    }
    const answer = await users.createUserStream(items());
    assert.equal(answer.createdCount, 2475);
    assert.equal(answer.failures.length, 25);
    assert.equal((await users.listUsers({ filter: "@bulk2.example" })).totalCount, 2475);
  });

  it("of nothing creates nothing", async () => {
    const answer = await users.createUserStream([]);
    assert.deepEqual([answer.createdCount, answer.user, answer.failures], [0, undefined, []]);
  });

  it("sent again with its request ids gives the answer of the first time", async () => {
    const items = Array.from({ length: 5 }, (_, n) => ({
      email: `retry${n}@bulk3.example`,
      name: "Retry",
      requestId: `retry-${n}`,
    }));
    const first = await users.createUserStream(items);
    assert.deepEqual(await users.createUserStream(items), first);
    assert.equal((await users.listUsers({ filter: "@bulk3.example" })).totalCount, 5);
  });
});

describe("UserChat", () => {
  type Outgoing = { userId?: string; roomId?: string; content?: string; resumeAfter?: bigint };

  function join(first: Outgoing) {
    const outbox = new Outbox<Outgoing>();
    const inbox = users.userChat(outbox)[Symbol.asyncIterator]();
    outbox.send(first);
    return { outbox, inbox };
  }

  /** Joined for sure: its own first message came back. */
  async function joined(userId: string, roomId: string) {
    const party = join({ userId, roomId, content: `${userId} is here` });
    const [own] = await take(party.inbox, 1);
    assert.equal(own?.content, `${userId} is here`);
    return party;
  }

  it("delivers to everyone in the room, the sender too, once and in order, stamped by the server", async () => {
    const ada = await joined("ada", "stamps");
    const bob = await joined("bob", "stamps");
    await take(ada.inbox, 1);
    ada.outbox.send({ userId: "eve", roomId: "stamps", content: "1" }, { roomId: "stamps", content: "2" });
    for (const { inbox } of [ada, bob]) {
      const messages = await take(inbox, 2);
      assert.deepEqual(
        messages.map(({ userId, content, roomId, sequence }) => [userId, content, roomId, sequence]),
        [
          ["ada", "1", "stamps", 3n],
          ["ada", "2", "stamps", 4n],
        ],
      );
      for (const { timestamp } of messages) assert.ok((timestamp?.seconds ?? 0n) > 1_600_000_000n);
    }
    for (const { outbox, inbox } of [ada, bob]) {
      outbox.end();
      assert.deepEqual(await drain(inbox), []);
    }
  });

  it("joins without a word when the first message has no content, as anonymous without a user_id", async () => {
    const { outbox, inbox } = join({ roomId: "quiet" });
    outbox.send({ userId: "late", roomId: "quiet", content: "hi" }).end();
    const messages = await drain(inbox);
    assert.deepEqual(
      messages.map(({ userId, content }) => [userId, content]),
      [["anonymous", "hi"]],
    );
  });

  it("may be in several rooms, and ends OK with all messages of its own after half-close", async () => {
    const { outbox, inbox } = join({ userId: "ada", roomId: "several-1", content: "a" });
    outbox.send({ roomId: "several-2", content: "b" }, { roomId: "several-1", content: "c" }).end();
    const messages = await drain(inbox);
    assert.deepEqual(
      messages.map(({ roomId, content, sequence }) => [roomId, content, sequence]),
      [
        ["several-1", "a", 1n],
        ["several-2", "b", 1n],
        ["several-1", "c", 2n],
      ],
    );
  });

  it("replays with resume_after what was missed, then goes on live, without gap or double", async () => {
    const ada = await joined("ada", "resume");
    for (let n = 2; n <= 150; n++) ada.outbox.send({ roomId: "resume", content: `${n}` });
    await take(ada.inbox, 149);
    const bob = join({ userId: "bob", roomId: "resume", resumeAfter: 10n });
    for (let n = 151; n <= 200; n++) ada.outbox.send({ roomId: "resume", content: `${n}` });
    const messages = await take(bob.inbox, 190);
    assert.deepEqual(
      messages.map(({ sequence }) => sequence),
      Array.from({ length: 190 }, (_, index) => BigInt(index + 11)),
    );
    for (const { outbox } of [ada, bob]) outbox.end();
    assert.deepEqual(await drain(bob.inbox), []);
    await drain(ada.inbox);
  });

  it("gives many speakers one order", async () => {
    const parties: Awaited<ReturnType<typeof joined>>[] = [];
    for (const name of ["a", "b", "c", "d"]) parties.push(await joined(name, "order"));
    for (const { outbox } of parties) {
      for (let n = 0; n < 25; n++) outbox.send({ roomId: "order", content: `${n}` });
    }
    const orders = await Promise.all(
      parties.map(async ({ inbox }) => {
        const seen: bigint[] = [];
        for (let at = 0n; at < 104n; ) {
          const [message] = await take(inbox, 1);
          at = message?.sequence ?? 0n;
          seen.push(at);
        }
        return seen;
      }),
    );
    for (const order of orders) {
      const start = order[0] ?? 0n;
      assert.deepEqual(
        order,
        Array.from(order, (_, index) => start + BigInt(index)),
      );
      assert.ok(order.length >= 100);
    }
    for (const { outbox, inbox } of parties) {
      outbox.end();
      await drain(inbox);
    }
  });

  it("without a room is INVALID_ARGUMENT", async () => {
    const { inbox } = join({ content: "hi" });
    await assert.rejects(inbox.next(), invalid("Room ID is required", "room_id"));
  });

  it("ends when its user is deleted", async () => {
    const userId = await createUser("chatter@chat.example");
    const chatter = await joined(userId, "deleted");
    await users.deleteUser({ userId });
    await assert.rejects(
      chatter.inbox.next(),
      fault({ code: StatusCode.PERMISSION_DENIED, message: `User ${userId} was deleted` }),
    );
  });

  it("does not let a deleted user in again, however the room and the stream", async () => {
    const userId = await createUser("leaver@chat.example");
    await users.deleteUser({ userId });
    const refused = fault({ code: StatusCode.PERMISSION_DENIED, message: `User ${userId} was deleted` });
    for (const message of [
      { userId, roomId: "again", content: "hi" },
      { userId, roomId: "again" },
      { userId, roomId: "deleted", resumeAfter: 1n },
    ]) {
      await assert.rejects(join(message).inbox.next(), refused);
    }
    const sameEmail = await createUser("leaver@chat.example");
    const { outbox, inbox } = await joined(sameEmail, "again");
    outbox.end();
    assert.deepEqual(await drain(inbox), []);
  });

  it("lets go of the room when the client leaves without a word", async () => {
    const ended = service.ended("UserChat");
    const { inbox } = await joined("ada", "left");
    await inbox.return?.();
    assert.equal((await ended).status.code, StatusCode.CANCELLED);
  });
});
