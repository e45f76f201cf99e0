/** What runs, what waits and what is refused. Works here end when the test says so. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Requester } from "./requester.ts";
import { StorageUnavailableError, TooManyWaitingError } from "./storage-error.ts";
import { TurnQueue } from "./turn-queue.ts";

/** Resolves after everything that only waits for promises. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Works with names; `started` has those that began, and `end` ends one. */
class Works {
  readonly started: string[] = [];
  readonly #ends = new Map<string, PromiseWithResolvers<string>>();
  readonly queue: TurnQueue;

  constructor(queue: TurnQueue) {
    this.queue = queue;
  }

  pass(name: string, requester: Requester): Promise<string> {
    return this.queue.pass(requester, this.#work(name));
  }

  hold(name: string, requester: Requester): Promise<string> {
    return this.queue.hold(requester, this.#work(name));
  }

  async end(name: string, error?: Error): Promise<void> {
    const end = this.#ends.get(name);
    assert.ok(end, `${name} has not begun`);
    if (error === undefined) end.resolve(name);
    else end.reject(error);
    await settled();
  }

  #work(name: string): () => Promise<string> {
    return () => {
      this.started.push(name);
      const end = Promise.withResolvers<string>();
      this.#ends.set(name, end);
      return end.promise;
    };
  }
}

const from = (name: string, signal?: AbortSignal): Requester => {
  const [group = "", member = "1"] = name.split(".");
  return { group, member, signal };
};

describe("a queue of turns", () => {
  it("starts a few works at once, and the next when one has ended or failed", async () => {
    const works = new Works(new TurnQueue({ maxRunning: 2 }));
    const results = ["1", "2", "3", "4"].map((name) => works.pass(name, from("a")));
    assert.deepEqual(works.started, ["1", "2"]);
    assert.deepEqual([works.queue.running, works.queue.waiting], [2, 2]);
    await works.end("2");
    assert.deepEqual(works.started, ["1", "2", "3"]);
    const failed = assert.rejects(results[0] as Promise<string>, /broken/);
    await works.end("1", new Error("broken"));
    await failed;
    for (const name of ["3", "4"]) await works.end(name);
    assert.deepEqual(await Promise.all(results.slice(1)), ["2", "3", "4"]);
    assert.deepEqual([works.queue.running, works.queue.waiting], [0, 0]);
  });

  it("gives one work of another requester its turn between those of a crowd", async () => {
    const works = new Works(new TurnQueue({ maxRunning: 1 }));
    for (let n = 0; n < 1000; n++) void works.pass(`crowd ${n}`, from("crowd"));
    void works.pass("other", from("other"));
    await works.end("crowd 0");
    await works.end("crowd 1");
    assert.deepEqual(works.started, ["crowd 0", "crowd 1", "other"]);
  });

  it("removes what was cancelled before its turn, at once and without running it", async () => {
    const works = new Works(new TurnQueue({ maxRunning: 1 }));
    void works.pass("running", from("a"));
    const controller = new AbortController();
    const cancelled = Array.from({ length: 3000 }, (_, n) => works.pass(`${n}`, from("a", controller.signal)));
    const kept = works.pass("kept", from("a"));
    controller.abort(new TypeError("client left"));
    assert.equal(works.queue.waiting, 1);
    for (const work of cancelled) await assert.rejects(work, { name: "AbortError" });
    await assert.rejects(works.pass("too late", from("a", controller.signal)), { name: "AbortError" });
    await works.end("running");
    assert.deepEqual(works.started, ["running", "kept"]);
    await works.end("kept");
    assert.equal(await kept, "kept");
  });

  it("leaves a work that runs to itself when its requester is cancelled, its place taken until it ends", async () => {
    const works = new Works(new TurnQueue({ maxRunning: 1 }));
    const controller = new AbortController();
    const running = works.pass("running", from("a", controller.signal));
    void works.pass("next", from("a"));
    controller.abort();
    await settled();
    assert.deepEqual(works.started, ["running"]);
    await works.end("running");
    assert.equal(await running, "running");
    assert.deepEqual(works.started, ["running", "next"]);
  });

  it("runs an exclusive work alone, and lets nothing overtake one that waits for that", async () => {
    const works = new Works(new TurnQueue({ maxRunning: 3 }));
    void works.pass("1", from("a"));
    void works.hold("alone", from("a"));
    void works.pass("2", from("a"));
    void works.pass("3", from("b"));
    assert.deepEqual(works.started, ["1"]);
    await works.end("1");
    assert.deepEqual(works.started, ["1", "alone"]);
    await works.end("alone");
    assert.deepEqual(works.started, ["1", "alone", "3", "2"]);
  });

  it("lets go on what stood behind an exclusive work that was cancelled", async () => {
    const works = new Works(new TurnQueue({ maxRunning: 3 }));
    void works.pass("1", from("a"));
    const controller = new AbortController();
    const alone = assert.rejects(works.hold("alone", from("a", controller.signal)), { name: "AbortError" });
    void works.pass("2", from("a"));
    controller.abort();
    await alone;
    assert.deepEqual(works.started, ["1", "2"]);
  });

  it("refuses a group more places than it leaves to others, and others have theirs", async () => {
    const works = new Works(new TurnQueue({ maxRunning: 1, maxWaiting: 12 }));
    void works.pass("running", from("a"));
    for (const member of ["1", "2", "3", "4", "5", "6"]) void works.pass(`a${member}`, from(`a.${member}`));
    await assert.rejects(works.pass("one more", from("a.7")), TooManyWaitingError);
    for (const member of ["1", "2", "3"]) void works.pass(`b${member}`, from(`b.${member}`));
    await assert.rejects(works.pass("one more", from("b.4")), TooManyWaitingError);
    void works.pass("c", from("c"));
    assert.equal(works.queue.waiting, 10);
    await assert.rejects(works.pass("one more", from("a.1")), TooManyWaitingError);
  });

  it("refuses a member more places than its group leaves to the other members", async () => {
    const works = new Works(new TurnQueue({ maxRunning: 1, maxWaiting: 12 }));
    void works.pass("running", from("a"));
    for (let n = 0; n < 4; n++) void works.pass(`${n}`, from("a.1"));
    await assert.rejects(works.pass("one more", from("a.1")), TooManyWaitingError);
    void works.pass("other member", from("a.2"));
    assert.equal(works.queue.waiting, 5);
  });

  it("is unavailable to a newcomer when everyone together has filled it", async () => {
    const works = new Works(new TurnQueue({ maxRunning: 1, maxWaiting: 4 }));
    void works.pass("running", from("a"));
    for (const group of ["a", "b", "c", "d"]) void works.pass(group, from(group));
    await assert.rejects(works.pass("e", from("e")), StorageUnavailableError);
    await works.end("running");
    void works.pass("e", from("e"));
    assert.equal(works.queue.waiting, 4);
  });

  it("takes all that an honest crowd of a full server sends from one address", () => {
    const works = new Works(new TurnQueue({ maxRunning: 2 }));
    const connections = 20;
    for (let n = 0; n < connections * 100 * 2; n++) void works.pass(`${n}`, from(`proxy.${n % connections}`));
    assert.equal(works.queue.waiting, 3998);
  });

  it("lets no one wait longer than allowed", async () => {
    const works = new Works(new TurnQueue({ maxRunning: 1, maxWaitMs: 1 }));
    const running = works.pass("running", from("a"));
    await assert.rejects(works.pass("waits", from("b")), StorageUnavailableError);
    assert.equal(works.queue.waiting, 0);
    await works.end("running");
    assert.equal(await running, "running");
  });

  it("is closed to new work, and closed when the last has ended", async () => {
    const works = new Works(new TurnQueue({ maxRunning: 1 }));
    void works.pass("1", from("a"));
    void works.pass("2", from("a"));
    let isClosed = false;
    void works.queue.close().then(() => (isClosed = true));
    await assert.rejects(works.pass("3", from("a")), StorageUnavailableError);
    await works.end("1");
    assert.deepEqual([works.started, isClosed], [["1", "2"], false]);
    await works.end("2");
    assert.ok(isClosed);
    await works.queue.close();
  });

  it("closes without what waits when that is refused", async () => {
    const works = new Works(new TurnQueue({ maxRunning: 1 }));
    void works.pass("1", from("a"));
    const refused = assert.rejects(works.pass("2", from("a")), /over/);
    const closed = works.queue.close();
    works.queue.refuseWaiting(new Error("over"));
    await refused;
    await works.end("1");
    await closed;
    assert.deepEqual(works.started, ["1"]);
  });

  it("starts the works of one requester in their order, never too many, and nothing beside an exclusive one", async () => {
    const property = fc.asyncProperty(
      fc.array(fc.record({ group: fc.constantFrom("a", "b"), isExclusive: fc.boolean() }), { maxLength: 30 }),
      fc.scheduler(),
      async (kinds, scheduler) => {
        const queue = new TurnQueue({ maxRunning: 2 });
        const started: number[] = [];
        let running = 0;
        const results = kinds.map(({ group, isExclusive }, index) => {
          const work = async (): Promise<void> => {
            started.push(index);
            running++;
            assert.ok(running <= (isExclusive ? 1 : 2));
            await scheduler.schedule(Promise.resolve());
            running--;
          };
          return isExclusive ? queue.hold(from(group), work) : queue.pass(from(group), work);
        });
        await scheduler.waitFor(Promise.all(results));
        for (const group of ["a", "b"]) {
          const ofGroup = started.filter((index) => kinds[index]?.group === group);
          assert.deepEqual(
            ofGroup,
            ofGroup.toSorted((a, b) => a - b),
          );
        }
        assert.equal(started.length, kinds.length);
      },
    );
    await fc.assert(property);
  });
});
