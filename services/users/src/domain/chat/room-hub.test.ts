import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { MemoryMessageStore, MemoryUserStore } from "../../../test/support/memory-storage.ts";
import { type Requester, SERVICE } from "../../storage/requester.ts";
import { StorageUnavailableError } from "../../storage/storage-error.ts";
import type { ReadLimits, StoredMessage } from "../../storage/user-store.ts";
import type { RoomSink } from "./room.ts";
import { LocalRoomBus, type RoomBus } from "./room-bus.ts";
import { RoomHub } from "./room-hub.ts";

/** A member that writes down what it gets. */
class Notebook implements RoomSink {
  readonly contents: string[] = [];
  readonly sequences: bigint[] = [];
  error: unknown;
  readonly requester = SERVICE;
  /** Awaited before each batch of a replay: the pace of a slow reader. */
  pace: () => Promise<void> = async () => undefined;

  deliver(message: StoredMessage): void {
    this.contents.push(message.content);
    this.sequences.push(message.sequence);
  }

  async replay(read: (limits: ReadLimits) => Promise<StoredMessage[]>): Promise<readonly StoredMessage[]> {
    await this.pace();
    const messages = await read({ messages: 32, bytes: 64 * 1024 });
    for (const message of messages) this.deliver(message);
    return messages;
  }

  fail(error: unknown): void {
    this.error ??= error;
  }
}

/** A bus whose deliveries the test makes, in any order and number. */
class ManualBus implements RoomBus {
  readonly published: StoredMessage[] = [];
  #listener: ((message: StoredMessage) => void) | undefined;

  async subscribe(_roomId: string, listener: (message: StoredMessage) => void): Promise<() => void> {
    this.#listener = listener;
    return () => (this.#listener = undefined);
  }

  get isListening(): boolean {
    return this.#listener !== undefined;
  }

  deliver(message: StoredMessage | undefined): void {
    if (message !== undefined) this.#listener?.(message);
  }

  publish(message: StoredMessage): void {
    this.published.push(message);
  }

  onUserDeleted(): () => void {
    return () => undefined;
  }

  publishUserDeleted(): void {}
}

/** Resolves after everything that only waits for promises. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a room", () => {
  it("gives every member, the speaker too, each message once and in order", async () => {
    const hub = new RoomHub(new MemoryMessageStore(), new MemoryUserStore(), new LocalRoomBus());
    const [ada, bob] = [new Notebook(), new Notebook()];
    const adaSeat = await hub.join("r", ada, 0n);
    const bobSeat = await hub.join("r", bob, 0n);
    await adaSeat.say("ada", "1");
    await Promise.all([bobSeat.say("bob", "2"), adaSeat.say("ada", "3"), bobSeat.say("bob", "4")]);
    assert.deepEqual(ada.sequences, [1n, 2n, 3n, 4n]);
    assert.deepEqual(bob.contents, ada.contents);
  });

  it("does the same across replicas that share log and bus", async () => {
    const log = new MemoryMessageStore();
    const bus = new LocalRoomBus();
    const replicas = [new RoomHub(log, new MemoryUserStore(), bus), new RoomHub(log, new MemoryUserStore(), bus)];
    const members = await Promise.all(
      [0, 1, 0, 1].map(async (replica) => {
        const notebook = new Notebook();
        return { notebook, seat: await replicas[replica]?.join("r", notebook, 0n) };
      }),
    );
    await Promise.all(members.flatMap(({ seat }, m) => [1, 2, 3].map((n) => seat?.say(`m${m}`, `${m}.${n}`))));
    // A replica hears of the last message from the other one, since no gap tells of it.
    await members[0]?.seat?.say("m0", "last");
    for (const { notebook } of members) {
      assert.deepEqual(
        notebook.sequences,
        Array.from({ length: 13 }, (_, index) => BigInt(index + 1)),
      );
    }
  });

  it("keeps rooms apart", async () => {
    const hub = new RoomHub(new MemoryMessageStore(), new MemoryUserStore(), new LocalRoomBus());
    const [ada, bob] = [new Notebook(), new Notebook()];
    const seat = await hub.join("r1", ada, 0n);
    await hub.join("r2", bob, 0n);
    await seat.say("ada", "hi");
    assert.deepEqual([ada.contents, bob.contents], [["hi"], []]);
  });

  it("delivers in order when the log answers out of order", async () => {
    const log = new MemoryMessageStore();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    log.afterAppend = async ({ content }) => (content === "first" ? held : undefined);
    const hub = new RoomHub(log, new MemoryUserStore(), new LocalRoomBus());
    const notebook = new Notebook();
    const seat = await hub.join("r", notebook, 0n);
    const first = seat.say("a", "first");
    await seat.say("b", "second");
    assert.deepEqual(notebook.contents, ["first", "second"]);
    release();
    await first;
    assert.deepEqual(notebook.contents, ["first", "second"]);
  });

  it("delivers each sequence once, whatever the bus loses, repeats or turns around", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 60 }), async (order) => {
        const log = new MemoryMessageStore();
        const bus = new ManualBus();
        const notebook = new Notebook();
        await new RoomHub(log, new MemoryUserStore(), bus).join("r", notebook, 0n);
        const said: StoredMessage[] = [];
        for (let n = 1; n <= 20; n++) said.push(await log.append("r", "elsewhere", `${n}`));
        for (const sequence of order) {
          bus.deliver(said[sequence - 1]);
          if (sequence % 3 === 0) await settled();
        }
        await settled();
        const highest = Math.max(0, ...order);
        // What is read to fill a gap may be ahead of the news of it, never behind.
        assert.ok(notebook.sequences.length >= highest);
        assert.deepEqual(
          notebook.sequences,
          notebook.sequences.map((_, index) => BigInt(index + 1)),
        );
      }),
      { numRuns: 50 },
    );
  });

  it("does not repeat what arrives while it reads the log for it", async () => {
    const log = new MemoryMessageStore();
    const bus = new ManualBus();
    const notebook = new Notebook();
    await new RoomHub(log, new MemoryUserStore(), bus).join("r", notebook, 0n);
    let release = (): void => undefined;
    log.afterRead = () => new Promise((resolve) => (release = resolve));
    const [first, second] = [await log.append("r", "elsewhere", "1"), await log.append("r", "elsewhere", "2")];
    for (const message of [second, first, second]) bus.deliver(message);
    assert.deepEqual(notebook.sequences, [1n, 2n]);
    release();
    await settled();
    assert.deepEqual(notebook.sequences, [1n, 2n]);
  });

  it("reads nothing from the log while nothing is missing", async () => {
    const log = new MemoryMessageStore();
    const hub = new RoomHub(log, new MemoryUserStore(), new LocalRoomBus());
    const seat = await hub.join("r", new Notebook(), 0n);
    for (let n = 0; n < 20; n++) await seat.say("ada", "hi");
    assert.equal(log.reads, 0);
  });

  it("fails its members when a gap cannot be read", async () => {
    const log = new MemoryMessageStore();
    const bus = new ManualBus();
    const notebook = new Notebook();
    await new RoomHub(log, new MemoryUserStore(), bus).join("r", notebook, 0n);
    await log.append("r", "elsewhere", "lost");
    const second = await log.append("r", "elsewhere", "heard of");
    log.fault = new StorageUnavailableError("gone");
    bus.deliver(second);
    await settled();
    assert.equal(notebook.error, log.fault);
    assert.deepEqual(notebook.contents, []);
  });

  it("is open exactly while someone is in it", async () => {
    const bus = new ManualBus();
    const hub = new RoomHub(new MemoryMessageStore(), new MemoryUserStore(), bus);
    const [first, second] = await Promise.all([hub.join("r", new Notebook(), 0n), hub.join("r", new Notebook(), 0n)]);
    first.leave();
    first.leave();
    assert.deepEqual([hub.openRooms, bus.isListening], [1, true]);
    second.leave();
    await settled();
    assert.deepEqual([hub.openRooms, bus.isListening], [0, false]);
  });

  it("counts what is said while it opens as said before", async () => {
    const log = new MemoryMessageStore();
    const bus = new ManualBus();
    log.lastSequence = async () => {
      bus.deliver(await log.append("r", "elsewhere", "while it opens"));
      return 0n;
    };
    const notebook = new Notebook();
    const seat = await new RoomHub(log, new MemoryUserStore(), bus).join("r", notebook, 0n);
    await settled();
    await seat.say("ada", "hi");
    assert.deepEqual(notebook.sequences, [2n]);
  });

  it("that could not be opened can be tried again", async () => {
    const log = new MemoryMessageStore();
    const bus = new ManualBus();
    const hub = new RoomHub(log, new MemoryUserStore(), bus);
    log.fault = new Error("gone");
    await assert.rejects(hub.join("r", new Notebook(), 0n), /gone/);
    await settled();
    assert.deepEqual([hub.openRooms, bus.isListening], [0, false]);
    log.fault = undefined;
    const notebook = new Notebook();
    await (await hub.join("r", notebook, 0n)).say("ada", "hi");
    assert.deepEqual(notebook.contents, ["hi"]);
  });

  it("is given up while it opens as soon as the last who waits for it is cancelled", async () => {
    const log = new MemoryMessageStore();
    const asked: Requester[] = [];
    log.lastSequence = (_roomId, requester) => {
      asked.push(requester ?? SERVICE);
      return new Promise(() => undefined);
    };
    const hub = new RoomHub(log, new MemoryUserStore(), new LocalRoomBus());
    const [first, second] = [new AbortController(), new AbortController()];
    const joins = [first, second].map(({ signal }) => {
      return hub.join("r", Object.assign(new Notebook(), { requester: { ...SERVICE, signal } }), 0n);
    });
    await settled();
    first.abort();
    await assert.rejects(joins[0] as Promise<unknown>, { name: "AbortError" });
    assert.deepEqual([hub.openRooms, asked[0]?.signal?.aborted], [1, false]);
    second.abort();
    await assert.rejects(joins[1] as Promise<unknown>, { name: "AbortError" });
    assert.deepEqual([hub.openRooms, asked.length, asked[0]?.signal?.aborted], [0, 1, true]);
  });

  it("delivers nothing to who has left", async () => {
    const hub = new RoomHub(new MemoryMessageStore(), new MemoryUserStore(), new LocalRoomBus());
    const [ada, bob] = [new Notebook(), new Notebook()];
    const seat = await hub.join("r", ada, 0n);
    (await hub.join("r", bob, 0n)).leave();
    await seat.say("ada", "hi");
    assert.deepEqual(bob.contents, []);
  });
});

describe("resume_after", () => {
  async function roomWith(count: number): Promise<{ log: MemoryMessageStore; hub: RoomHub }> {
    const log = new MemoryMessageStore();
    for (let n = 1; n <= count; n++) await log.append("r", "earlier", `${n}`);
    return { log, hub: new RoomHub(log, new MemoryUserStore(), new LocalRoomBus()) };
  }

  it("replays what came after it, then goes on live", async () => {
    const { hub } = await roomWith(250);
    const notebook = new Notebook();
    const seat = await hub.join("r", notebook, 3n);
    await seat.replayed;
    await seat.say("ada", "now");
    assert.deepEqual(
      notebook.sequences,
      Array.from({ length: 248 }, (_, index) => BigInt(index + 4)),
    );
    assert.equal(notebook.contents.at(-1), "now");
  });

  it("left out replays nothing", async () => {
    const { log, hub } = await roomWith(3);
    const notebook = new Notebook();
    await (await hub.join("r", notebook, 0n)).replayed;
    assert.deepEqual(notebook.contents, []);
    assert.equal(log.reads, 0);
  });

  it("at the end of the log replays nothing", async () => {
    const { hub } = await roomWith(3);
    const notebook = new Notebook();
    const seat = await hub.join("r", notebook, 3n);
    await seat.replayed;
    await seat.say("ada", "now");
    assert.deepEqual(notebook.sequences, [4n]);
  });

  it("beyond the end of the log hides nothing of what is said later", async () => {
    const { hub } = await roomWith(3);
    const notebook = new Notebook();
    const seat = await hub.join("r", notebook, 2n ** 64n - 1n);
    await seat.say("ada", "now");
    await seat.replayed;
    assert.deepEqual(notebook.sequences, [4n]);
  });

  it("leaves no gap and no double between replay and live, wherever the talking falls", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(2), { maxLength: 40 }), fc.integer({ min: 1, max: 9 }), async (steps, after) => {
        const { log, hub } = await roomWith(10);
        const speaker = await hub.join("r", new Notebook(), 0n);
        const gates: (() => void)[] = [];
        const gate = (): Promise<void> => new Promise((resolve) => gates.push(resolve));
        log.afterRead = gate;
        const notebook = new Notebook();
        notebook.pace = gate;
        const seat = await hub.join("r", notebook, BigInt(after));
        let said = 10;
        for (const step of steps) {
          if (step === 0) {
            said++;
            await speaker.say("ada", `${said}`);
          } else if (step === 1) gates.shift()?.();
          else await settled();
        }
        let isReplayed = false;
        void seat.replayed.then(() => (isReplayed = true));
        while (!isReplayed) {
          gates.shift()?.();
          await settled();
        }
        const expected = Array.from({ length: said - after }, (_, index) => BigInt(after + 1 + index));
        assert.deepEqual(notebook.sequences, expected);
      }),
      { numRuns: 60 },
    );
  });

  it("does not repeat what the replay read before the room heard of it", async () => {
    const log = new MemoryMessageStore();
    const bus = new ManualBus();
    const hub = new RoomHub(log, new MemoryUserStore(), bus);
    await hub.join("r", new Notebook(), 0n);
    const said: StoredMessage[] = [];
    for (let n = 1; n <= 5; n++) said.push(await log.append("r", "elsewhere", `${n}`));
    for (const message of said.slice(0, 3)) bus.deliver(message);
    const notebook = new Notebook();
    await (await hub.join("r", notebook, 1n)).replayed;
    for (const message of said) bus.deliver(message);
    assert.deepEqual(notebook.sequences, [2n, 3n, 4n, 5n]);
  });

  it("fails only its own stream when the log cannot be read", async () => {
    const { log, hub } = await roomWith(3);
    const [ada, bob] = [new Notebook(), new Notebook()];
    await hub.join("r", ada, 0n);
    log.fault = new StorageUnavailableError("gone");
    await (await hub.join("r", bob, 1n)).replayed;
    assert.equal(bob.error, log.fault);
    assert.equal(ada.error, undefined);
  });
});
