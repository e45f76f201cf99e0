import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StatusCode } from "volant";
import { MemoryMessageStore, MemoryUserStore } from "../../../test/support/memory-storage.ts";
import { drain, Outbox, take } from "../../../test/support/outbox.ts";
import { chatMessage } from "../../../test/support/requests.ts";
import { fault } from "../../../test/support/rpc-faults.ts";
import type { ChatMessage } from "../../gen/user_pb.ts";
import { type Requester, SERVICE } from "../../storage/requester.ts";
import type { StoredMessage } from "../../storage/user-store.ts";
import type { Caller } from "../identity.ts";
import { type ChatLimits, ChatSession, DEFAULT_CHAT_LIMITS } from "./chat-session.ts";
import { QueueBudget } from "./queue-budget.ts";
import { LocalRoomBus } from "./room-bus.ts";
import { RoomHub } from "./room-hub.ts";

const anyone: Caller = { senderName: (claimed) => claimed || "anonymous", mayEnter: () => true };

function chatRoom() {
  const log = new MemoryMessageStore();
  const users = new MemoryUserStore();
  return { log, users, hub: new RoomHub(log, users, new LocalRoomBus()) };
}

interface Party {
  readonly session: ChatSession;
  readonly outbox: Outbox<ChatMessage>;
  readonly inbox: AsyncIterator<StoredMessage>;
}

interface Setting {
  readonly caller?: Caller;
  readonly requester?: Requester;
  readonly budget?: QueueBudget;
}

function connect(hub: RoomHub, limits: Partial<ChatLimits> = {}, setting: Setting = {}): Party {
  const { caller = anyone, requester = SERVICE, budget = new QueueBudget(1e9) } = setting;
  const bounds = { limits: { ...DEFAULT_CHAT_LIMITS, ...limits }, budget };
  const session = new ChatSession(hub, { caller, requester }, bounds);
  const outbox = new Outbox<ChatMessage>();
  session.start(outbox);
  return { session, outbox, inbox: session[Symbol.asyncIterator]() };
}

const say = (roomId: string, content = "", userId = "ada"): ChatMessage => chatMessage({ userId, roomId, content });
const contents = (messages: readonly StoredMessage[]): string[] => messages.map(({ content }) => content);

/** What each reading of the log gave. */
function withReads(log: MemoryMessageStore): StoredMessage[][] {
  const read: StoredMessage[][] = [];
  const readAfter = log.readAfter.bind(log);
  log.readAfter = async (...args) => {
    const messages = await readAfter(...args);
    read.push(messages);
    return messages;
  };
  return read;
}

const bytesOf = (messages: readonly StoredMessage[]): number =>
  messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);

/** Resolves after everything that only waits for promises. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a chat stream", () => {
  it("joins a room with its first message, which is delivered when it has content", async () => {
    const { hub } = chatRoom();
    const { outbox, inbox } = connect(hub);
    outbox.send(say("r", "hello"), say("r", "again")).end();
    const messages = await drain(inbox);
    assert.deepEqual(contents(messages), ["hello", "again"]);
    assert.deepEqual(
      messages.map(({ sequence, senderId, roomId }) => [sequence, senderId, roomId]),
      [
        [1n, "ada", "r"],
        [2n, "ada", "r"],
      ],
    );
  });

  it("only joins with an empty message, and an empty one later is nothing", async () => {
    const { hub, log } = chatRoom();
    const { outbox, inbox } = connect(hub);
    outbox.send(say("r"), say("r")).end();
    assert.deepEqual(await drain(inbox), []);
    assert.equal(await log.lastSequence("r"), 0n);
  });

  it("may be in several rooms", async () => {
    const { hub } = chatRoom();
    const { outbox, inbox } = connect(hub);
    outbox.send(say("r1", "a"), say("r2", "b"), say("r1", "c"));
    const messages = await take(inbox, 3);
    assert.deepEqual(
      messages.map(({ roomId, sequence }) => `${roomId} ${sequence}`),
      ["r1 1", "r2 1", "r1 2"],
    );
    outbox.end();
    assert.deepEqual(await drain(inbox), []);
    assert.equal(hub.openRooms, 0);
  });

  it("reaches everyone in the room and no one else", async () => {
    const { hub } = chatRoom();
    const [ada, bob, carol] = [connect(hub), connect(hub), connect(hub)];
    bob.outbox.send(say("r", "", "bob"));
    carol.outbox.send(say("other", "", "carol"));
    await settled();
    ada.outbox.send(say("r", "hi all"));
    assert.deepEqual(contents(await take(bob.inbox, 1)), ["hi all"]);
    assert.deepEqual(contents(await take(ada.inbox, 1)), ["hi all"]);
    carol.outbox.end();
    assert.deepEqual(await drain(carol.inbox), []);
    for (const { session } of [ada, bob]) session.close();
  });

  it("has the sender of its first message throughout, anonymous when that is empty", async () => {
    const { hub } = chatRoom();
    const ada = connect(hub);
    ada.outbox.send(say("r", "1", "ada"), say("r", "2", "eve"), say("r", "3", "")).end();
    assert.deepEqual(
      (await drain(ada.inbox)).map(({ senderId }) => senderId),
      ["ada", "ada", "ada"],
    );
    const nobody = connect(hub);
    nobody.outbox.send(say("r", "4", ""), say("r", "5", "eve")).end();
    assert.deepEqual(
      (await drain(nobody.inbox)).map(({ senderId }) => senderId),
      ["anonymous", "anonymous"],
    );
  });

  it("takes its sender and its rooms from who the caller is", async () => {
    const { hub } = chatRoom();
    const caller: Caller = { senderName: () => "subject", mayEnter: (roomId) => roomId === "mine" };
    const { outbox, inbox } = connect(hub, {}, { caller });
    outbox.send(say("mine", "hi", "someone else"));
    assert.equal((await take(inbox, 1))[0]?.senderId, "subject");
    outbox.send(say("theirs", "hi"));
    const refused = fault({ code: StatusCode.PERMISSION_DENIED, message: 'Not allowed to enter room "theirs"' });
    await assert.rejects(inbox.next(), refused);
    assert.equal(hub.openRooms, 0);
  });

  it("replays what was missed, also when it half-closes at once", async () => {
    const { hub, log } = chatRoom();
    for (let n = 1; n <= 300; n++) await log.append("r", "earlier", `${n}`);
    const { outbox, inbox } = connect(hub, { maxQueuedMessages: 10 });
    outbox.send(chatMessage({ roomId: "r", resumeAfter: 1n, content: "me" })).end();
    const messages = await drain(inbox);
    assert.deepEqual(
      messages.map(({ sequence }) => sequence),
      Array.from({ length: 300 }, (_, index) => BigInt(index + 2)),
    );
    assert.equal(messages.at(-1)?.content, "me");
  });

  it("replays many rooms to a slow reader without holding more than one batch beside its queue", async () => {
    const { hub, log } = chatRoom();
    const rooms = Array.from({ length: 20 }, (_, index) => `r${index}`);
    for (const room of rooms) for (let n = 1; n <= 40; n++) await log.append(room, "earlier", `${n}`);
    const { outbox, inbox } = connect(hub, { maxQueuedMessages: 10 });
    for (const roomId of rooms) outbox.send(chatMessage({ roomId, resumeAfter: 1n }));
    await settled();
    await settled();
    assert.equal(log.reads, 1);
    outbox.end();
    const messages = await drain(inbox);
    for (const room of rooms) {
      assert.deepEqual(
        messages.filter(({ roomId }) => roomId === room).map(({ sequence }) => sequence),
        Array.from({ length: 39 }, (_, index) => BigInt(index + 2)),
      );
    }
  });

  it("holds two messages of a replay for a reader that takes nothing, however long the log and its messages", async () => {
    const { hub, log } = chatRoom();
    for (let n = 1; n <= 300; n++) await log.append("r", "earlier", "x".repeat(n < 3 ? 1 : 16_000));
    const read = withReads(log);
    const readers = Array.from({ length: 20 }, () => connect(hub));
    for (const { outbox } of readers) outbox.send(chatMessage({ roomId: "r", resumeAfter: 1n }));
    for (let turns = 0; turns < 10; turns++) await settled();
    assert.equal(read.length, 20);
    for (const messages of read) assert.ok(bytesOf(messages) <= 16_000 + 1, `${bytesOf(messages)} bytes`);
    for (const { session } of readers) session.close();
  });

  it("reads more at a time as its reader takes it, within 100 messages and 64 KiB, and gives every message once", async () => {
    const { hub, log } = chatRoom();
    for (let n = 1; n <= 600; n++) await log.append("r", "earlier", "x".repeat(n < 400 ? 10 : 5000));
    const read = withReads(log);
    const { outbox, inbox } = connect(hub);
    outbox.send(chatMessage({ roomId: "r", resumeAfter: 1n })).end();
    assert.deepEqual(
      (await drain(inbox)).map(({ sequence }) => sequence),
      Array.from({ length: 599 }, (_, index) => BigInt(index + 2)),
    );
    assert.deepEqual(
      read.slice(0, 5).map(({ length }) => length),
      [2, 4, 8, 16, 32],
    );
    for (const messages of read) assert.ok(messages.length <= 100 && bytesOf(messages) <= 64 * 1024);
  });

  it("reads again what found no room beside what was said meanwhile, and loses and repeats nothing", async () => {
    const { hub, log } = chatRoom();
    for (let n = 1; n <= 10; n++) await log.append("old", "earlier", `old ${n}`);
    const { outbox, inbox } = connect(hub, { maxQueuedMessages: 5 });
    outbox.send(say("live"));
    await settled();
    const gate = Promise.withResolvers<void>();
    log.afterRead = () => gate.promise;
    outbox.send(chatMessage({ roomId: "old", resumeAfter: 1n }));
    const speaker = connect(hub);
    for (let n = 1; n <= 5; n++) speaker.outbox.send(say("live", `live ${n}`));
    await take(speaker.inbox, 5);
    log.afterRead = async () => undefined;
    gate.resolve();
    outbox.end();
    const messages = contents(await drain(inbox));
    assert.deepEqual(messages.slice(0, 5), ["live 1", "live 2", "live 3", "live 4", "live 5"]);
    assert.deepEqual(
      messages.slice(5),
      Array.from({ length: 9 }, (_, index) => `old ${index + 2}`),
    );
    speaker.session.close();
  });

  it("is cut with RESOURCE_EXHAUSTED when its reader is too slow, and others are not", async () => {
    const { hub } = chatRoom();
    const slow = connect(hub, { maxQueuedMessages: 5 });
    slow.outbox.send(say("r", "", "slow"));
    const ada = connect(hub);
    await settled();
    for (let n = 1; n <= 6; n++) ada.outbox.send(say("r", `${n}`));
    assert.equal((await take(ada.inbox, 6)).length, 6);
    await assert.rejects(
      slow.inbox.next(),
      fault({ code: StatusCode.RESOURCE_EXHAUSTED, message: /too slow: 5 messages .* resume_after/ }),
    );
    assert.deepEqual(await slow.inbox.next(), { done: true, value: undefined });
    ada.session.close();
    assert.equal(hub.openRooms, 0);
  });

  it("may have just as much waiting as the limit says", async () => {
    const { hub } = chatRoom();
    const reader = connect(hub, { maxQueuedMessages: 5 });
    reader.outbox.send(say("r", "", "reader"));
    const ada = connect(hub);
    await settled();
    for (let n = 1; n <= 5; n++) ada.outbox.send(say("r", `${n}`));
    await take(ada.inbox, 5);
    assert.deepEqual(contents(await take(reader.inbox, 5)), ["1", "2", "3", "4", "5"]);
    for (const { session } of [ada, reader]) session.close();
  });

  it("is cut where its client's streams hold all that one client may have, and others read and speak on", async () => {
    const { hub, log } = chatRoom();
    const budget = new QueueBudget(300_000);
    const silent = Array.from({ length: 40 }, (_, index) => {
      const party = connect(hub, {}, { budget, requester: { group: "silent", member: `silent:${index % 2}` } });
      party.outbox.send(say("r", "", "silent"));
      return party;
    });
    const other = connect(hub, {}, { budget, requester: { group: "other", member: "other:1" } });
    other.outbox.send(say("r", "", "other"));
    const ada = connect(hub, {}, { budget, requester: { group: "ada", member: "ada:1" } });
    await settled();
    for (let n = 1; n <= 10; n++) ada.outbox.send(say("r", "x".repeat(10_000)));
    assert.equal((await take(ada.inbox, 10)).length, 10);
    assert.ok(budget.bytes <= 250_000, `${budget.bytes} bytes`);
    // Forty streams that took nothing were bounded; one that takes late what was said has room for all of it.
    assert.equal((await take(other.inbox, 10)).length, 10);
    await assert.rejects(
      silent[0]!.inbox.next(),
      fault({ code: StatusCode.RESOURCE_EXHAUSTED, message: /readers of this client's streams.*resume_after/s }),
    );
    assert.equal(await log.lastSequence("r"), 10n);
    for (const { session } of [...silent, other, ada]) session.close();
    assert.deepEqual([budget.bytes, budget.holders], [0, 0]);
  });

  it("that finds no room for its replay is cut, and reads on when it comes back after others were read", async () => {
    const { hub, log } = chatRoom();
    for (let n = 1; n <= 5; n++) await log.append("r", "earlier", `${n}`.padEnd(10_000));
    const budget = new QueueBudget(40_000);
    const requester = { group: "ada", member: "ada:1" };
    const resumed = (): Party => {
      const party = connect(hub, {}, { budget, requester });
      party.outbox.send(chatMessage({ roomId: "r", resumeAfter: 1n })).end();
      return party;
    };
    const first = resumed();
    await settled();
    await settled();
    assert.ok(budget.bytes > 10_000);
    const second = resumed();
    await settled();
    await settled();
    const refused = fault({ code: StatusCode.RESOURCE_EXHAUSTED, message: /readers of this client's streams/ });
    await assert.rejects(second.inbox.next(), refused);
    assert.equal((await drain(first.inbox)).length, 4);
    assert.equal((await drain(resumed().inbox)).length, 4);
    assert.equal(budget.bytes, 0);
  });

  it("may enter no room beyond those that its client may be in with all its streams, and those that end make room", async () => {
    const { hub } = chatRoom();
    const budget = new QueueBudget(32 * 1024);
    const requester = { group: "ada", member: "ada:1" };
    const parties = Array.from({ length: 20 }, (_, index) => {
      const party = connect(hub, {}, { budget, requester });
      party.outbox.send(say(`r${index}`));
      return party;
    });
    await settled();
    assert.equal(hub.openRooms, 11);
    const refused = fault({ code: StatusCode.RESOURCE_EXHAUSTED, message: /as many rooms as one client's may be/ });
    for (const { inbox } of parties.slice(11)) await assert.rejects(inbox.next(), refused);
    const stranger = connect(hub, {}, { budget, requester: { group: "bob", member: "bob:1" } });
    stranger.outbox.send(say("r0", "hi"));
    assert.deepEqual(contents(await take(stranger.inbox, 1)), ["hi"]);
    for (const { session } of parties.slice(0, 3)) session.close();
    const again = connect(hub, {}, { budget, requester });
    again.outbox.send(say("r0", "again")).end();
    assert.deepEqual(contents(await drain(again.inbox)), ["again"]);
    for (const { session } of [...parties, stranger]) session.close();
    assert.deepEqual([budget.bytes, budget.holders, hub.openRooms], [0, 0, 0]);
  });

  it("is bounded in rooms", async () => {
    const { hub } = chatRoom();
    const { outbox, inbox } = connect(hub, { maxRooms: 2 });
    outbox.send(say("r1"), say("r2"), say("r1", "still here"));
    assert.deepEqual(contents(await take(inbox, 1)), ["still here"]);
    outbox.send(say("r3"));
    await assert.rejects(inbox.next(), fault({ code: StatusCode.RESOURCE_EXHAUSTED, message: /in 2 rooms already/ }));
  });

  it("refuses messages without a room, or with what cannot be kept", async () => {
    const cases: [ChatMessage, string, RegExp][] = [
      [say("", "hi"), "room_id", /^Room ID is required$/],
      [say("r".repeat(129)), "room_id", /at most 128 characters/],
      [say("r\n"), "room_id", /control/],
      [say("r", "é".repeat(6)), "content", /at most 10 bytes/],
      [say("r", "\0"), "content", /U\+0000/],
      [say("r", "hi", "u".repeat(129)), "user_id", /at most 128/],
      [say("r", "hi", "u\0"), "user_id", /control/],
    ];
    for (const [message, field, text] of cases) {
      const { hub } = chatRoom();
      const { outbox, inbox } = connect(hub, { maxContentBytes: 10 });
      outbox.send(message);
      await assert.rejects(inbox.next(), fault({ code: StatusCode.INVALID_ARGUMENT, message: text, fields: [field] }));
      await settled();
      assert.ok(outbox.isAbandoned);
      assert.equal(hub.openRooms, 0);
    }
  });

  it("takes content as long as the limit says", async () => {
    const { hub } = chatRoom();
    const { outbox, inbox } = connect(hub, { maxContentBytes: 10 });
    outbox.send(say("r", "é".repeat(5))).end();
    assert.equal((await drain(inbox)).length, 1);
  });

  it("ends when its user is deleted", async () => {
    const { hub } = chatRoom();
    const [ada, bob] = [connect(hub), connect(hub)];
    bob.outbox.send(say("r", "", "bob"));
    await settled();
    ada.outbox.send(say("r", "hi"));
    await take(ada.inbox, 1);
    hub.onUserDeleted("ada");
    await assert.rejects(ada.inbox.next(), fault({ code: StatusCode.PERMISSION_DENIED }));
    bob.outbox.send(say("r", "alone", "bob"));
    assert.deepEqual(contents(await take(bob.inbox, 2)), ["hi", "alone"]);
    bob.session.close();
  });

  it("of a deleted user is refused, in this process and in others that share the storage", async () => {
    const { hub, log, users } = chatRoom();
    const elsewhere = new RoomHub(log, users, new LocalRoomBus());
    const outcome = await users.create({ email: "ada@example.com", name: "", roles: [], metadata: {} });
    assert.ok(outcome.kind === "created");
    const { id } = outcome.user;
    const before = connect(elsewhere);
    before.outbox.send(say("r", "hi", id));
    await take(before.inbox, 1);
    await users.delete(id);
    const refused = fault({ code: StatusCode.PERMISSION_DENIED, message: `User ${id} was deleted` });
    for (const replica of [hub, elsewhere]) {
      const { outbox, inbox } = connect(replica);
      outbox.send(say("r", "again", id));
      await assert.rejects(inbox.next(), refused);
    }
    assert.equal(hub.openRooms, 0);
    before.outbox.send(say("r2", "another room", id));
    await assert.rejects(before.inbox.next(), refused);
    assert.equal(await log.lastSequence("r"), 1n);
  });

  it("of who never was a user, of nobody, and of a user who came back with the same email is not", async () => {
    const { hub, users } = chatRoom();
    const user = { email: "ada@example.com", name: "", roles: [], metadata: {} };
    const first = await users.create(user);
    assert.ok(first.kind === "created");
    await users.delete(first.user.id);
    const second = await users.create(user);
    assert.ok(second.kind === "created");
    for (const id of [second.user.id, "never a user", "anonymous", ""]) {
      const { outbox, inbox } = connect(hub);
      outbox.send(say("r", "hi", id)).end();
      assert.deepEqual(contents(await drain(inbox)), ["hi"]);
    }
  });

  it("whose user is deleted while the storage is asked ends all the same", async () => {
    const { hub, users, log } = chatRoom();
    const answer = Promise.withResolvers<boolean>();
    users.isDeleted = () => answer.promise;
    const { outbox, inbox } = connect(hub);
    outbox.send(say("r", "hi", "ada"));
    await settled();
    hub.onUserDeleted("ada");
    answer.resolve(false);
    await assert.rejects(inbox.next(), fault({ code: StatusCode.PERMISSION_DENIED }));
    await settled();
    assert.deepEqual([hub.openRooms, await log.lastSequence("r")], [0, 0n]);
  });

  it("ends with the error of the caller's side when that breaks, and leaves nothing behind", async () => {
    const { hub } = chatRoom();
    const { outbox, inbox } = connect(hub);
    outbox.send(say("r", "hi"));
    await take(inbox, 1);
    outbox.fail(new Error("reset"));
    await assert.rejects(inbox.next(), /reset/);
    assert.equal(hub.openRooms, 0);
  });

  it("leaves its rooms when nobody reads it any more, also while it enters one", async () => {
    const { hub, log } = chatRoom();
    const { outbox, inbox } = connect(hub);
    const waiting = inbox.next();
    outbox.send(say("r1"));
    await settled();
    assert.equal(hub.openRooms, 1);
    const { promise, resolve } = Promise.withResolvers<bigint>();
    log.lastSequence = () => promise;
    outbox.send(say("r2"));
    await settled();
    await inbox.return?.();
    assert.deepEqual(await waiting, { done: true, value: undefined });
    assert.equal(hub.openRooms, 1);
    resolve(0n);
    await settled();
    assert.equal(hub.openRooms, 0);
  });

  it("ends with the storage's error when a message cannot be kept", async () => {
    const { hub, log } = chatRoom();
    const { outbox, inbox } = connect(hub);
    outbox.send(say("r", "kept"));
    await take(inbox, 1);
    log.fault = new Error("gone");
    outbox.send(say("r", "lost"));
    await assert.rejects(inbox.next(), /gone/);
    assert.equal(hub.openRooms, 0);
  });
});
