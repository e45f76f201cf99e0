/** Virtual time and made-up work: who has its turn when, counted in pieces and never by a clock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConnectionTurns, type TurnClock, TurnScheduler, type TurnTaker } from "./turn-scheduler.ts";

/** A loop of its own: each turn reads what every socket has, then runs what was put off to the end of the turn. */
class Loop implements TurnClock {
  timeMs = 0;
  turn = 0;
  private endings: (() => void)[] = [];
  private steps: (() => void)[] = [];

  nowMs(): number {
    return this.timeMs;
  }

  atEndOfTurn(run: () => void): void {
    this.endings.push(run);
  }

  soon(run: () => void): void {
    this.steps.push(run);
  }

  stepsDone(): void {}

  runTurn(lanes: readonly Lane[]): void {
    this.turn++;
    for (const lane of lanes) lane.read();
    for (const run of [...this.endings.splice(0), ...this.steps.splice(0)]) run();
  }
}

interface Piece {
  readonly lane: string;
  readonly turn: number;
  readonly byItself: boolean;
}

/** A connection with pieces to do; what it has not been read of waits in its kernel. */
class Lane implements TurnTaker {
  readonly charged: number[] = [];
  readonly place: ConnectionTurns;
  readonly name: string;
  private readonly bench: Bench;
  private readonly costMs: number;
  private readonly tailMs: number;
  left: number;
  private isWaiting = false;

  constructor(bench: Bench, name: string, peer: string, work: { pieces: number; costMs: number; tailMs?: number }) {
    this.bench = bench;
    this.name = name;
    this.left = work.pieces;
    this.costMs = work.costMs;
    this.tailMs = work.tailMs ?? 0;
    this.place = bench.scheduler.join(peer, this);
  }

  read(): void {
    const { scheduler, loop } = this.bench;
    while (this.left > 0 && !this.isWaiting) {
      if (scheduler.begin(this.place, loop.timeMs)) this.work(true);
      else {
        this.isWaiting = true;
        scheduler.wait(this.place);
      }
    }
  }

  takeTurn(): void {
    this.isWaiting = false;
    this.work(false);
    if (this.left === 0) return;
    this.isWaiting = true;
    this.bench.scheduler.wait(this.place);
  }

  onCharged(ms: number): void {
    this.charged.push(Math.round(ms * 1_000) / 1_000);
  }

  private work(byItself: boolean): void {
    const { scheduler, loop, pieces } = this.bench;
    this.left--;
    pieces.push({ lane: this.name, turn: loop.turn, byItself });
    loop.timeMs += this.costMs;
    scheduler.end(this.place, loop.timeMs);
    loop.timeMs += this.tailMs;
  }
}

class Bench {
  readonly loop = new Loop();
  readonly scheduler = new TurnScheduler(this.loop);
  readonly pieces: Piece[] = [];
  readonly lanes: Lane[] = [];

  add(name: string, peer: string, work: { pieces: number; costMs: number; tailMs?: number }): Lane {
    const lane = new Lane(this, name, peer, work);
    this.lanes.push(lane);
    return lane;
  }

  flood(count: number, peerOf: (index: number) => string, costMs: number, tailMs = 0): void {
    for (let index = 0; index < count; index++) {
      this.add(`flood ${index}`, peerOf(index), { pieces: 1_000, costMs, tailMs });
    }
  }

  run(turns: number): this {
    for (let turn = 0; turn < turns; turn++) this.loop.runTurn(this.lanes);
    return this;
  }

  countOf(prefix: string): number {
    return this.pieces.filter(({ lane }) => lane.startsWith(prefix)).length;
  }

  /** Most pieces of others between two of its own, from its first on. */
  longestWaitOf(name: string): number {
    let longest = 0;
    let waited = 0;
    let hasBegun = false;
    for (const { lane } of this.pieces) {
      if (lane === name) {
        longest = Math.max(longest, waited);
        waited = 0;
        hasBegun = true;
      } else if (hasBegun) waited++;
    }
    return longest;
  }
}

test("whoever asks for little has its pieces done as they come, and nothing is put off", () => {
  const bench = new Bench();
  for (let index = 0; index < 10; index++) bench.add(`calm ${index}`, `peer ${index % 3}`, { pieces: 1, costMs: 0.02 });
  bench.run(1);
  assert.ok(bench.pieces.every(({ byItself, turn }) => byItself && turn === 1));
  assert.equal(bench.pieces.length, 10);
  assert.equal(bench.scheduler.size.waiting, 0);
});

test("a turn has about four milliseconds for what is done at once and two for what waited, however many flood", () => {
  for (const [connections, peers] of [
    [1, 1],
    [16, 1],
    [200, 1],
    [200, 200],
  ] as const) {
    const bench = new Bench();
    bench.flood(connections, (index) => `peer ${index % peers}`, 0.5);
    for (let turn = 1; turn <= 50; turn++) {
      const before = bench.loop.timeMs;
      bench.run(1);
      const tookMs = bench.loop.timeMs - before;
      assert.ok(tookMs <= 7, `${tookMs} ms in turn ${turn} with ${connections} connections of ${peers} peers`);
    }
  }
});

test("beside eight connections of one other address a peer with as much to do gets half of the time", () => {
  const bench = new Bench();
  bench.flood(8, () => "192.0.2.1", 0.5);
  bench.add("victim", "192.0.2.9", { pieces: 1_000, costMs: 0.5 });
  bench.run(200);
  const [mine, theirs] = [bench.countOf("victim"), bench.countOf("flood")];
  assert.ok(Math.abs(mine - theirs) <= 10, `${mine} pieces beside ${theirs}`);
  assert.ok(bench.longestWaitOf("victim") <= 4, `${bench.longestWaitOf("victim")} pieces of others in between`);
});

test("behind one address the connections share: none waits for more than a piece of each other", () => {
  const bench = new Bench();
  bench.flood(8, () => "192.0.2.1", 0.5);
  bench.add("victim", "192.0.2.1", { pieces: 1_000, costMs: 0.5 });
  bench.run(200);
  const each = bench.countOf("flood") / 8;
  assert.ok(
    Math.abs(bench.countOf("victim") - each) <= 3,
    `${bench.countOf("victim")} pieces, the others ${each} each`,
  );
  assert.ok(bench.longestWaitOf("victim") <= 12, `${bench.longestWaitOf("victim")} pieces of others in between`);
});

for (const [address, most] of [
  ["192.0.2.9", 0],
  ["192.0.2.1", 2],
] as const) {
  test(`of a short piece a turn from ${address} at most ${most} wait, whatever 192.0.2.1 sends`, () => {
    const bench = new Bench();
    bench.flood(8, () => "192.0.2.1", 0.5);
    bench.run(10);
    const victim = bench.add("victim", address, { pieces: 0, costMs: 0.02 });
    for (let turn = 0; turn < 100; turn++) {
      victim.left++;
      bench.run(1);
      assert.ok(victim.left <= most, `${victim.left} wait in turn ${turn}`);
    }
  });
}

test("a peer whose pieces take ten times as long has a tenth as many", () => {
  const bench = new Bench();
  bench.flood(1, () => "192.0.2.1", 4);
  bench.add("victim", "192.0.2.9", { pieces: 10_000, costMs: 0.4 });
  bench.run(400);
  const ratio = bench.countOf("victim") / bench.countOf("flood");
  assert.ok(ratio > 8 && ratio < 12, `${ratio} pieces for one`);
});

test("what runs in promises behind a piece is charged to it, and of a long time in between no more than a millisecond", () => {
  const bench = new Bench();
  const lane = bench.add("lane", "192.0.2.1", { pieces: 2, costMs: 0.1, tailMs: 0.3 });
  bench.run(1);
  assert.deepEqual(lane.charged, [0.4, 0.4]);
  const slow = bench.add("slow", "192.0.2.2", { pieces: 1, costMs: 0.1, tailMs: 50 });
  bench.run(1);
  assert.deepEqual(slow.charged, [1.1]);
});

test("time that was not used is not saved up, and once nobody waits nothing is held against anybody", () => {
  const bench = new Bench();
  const late = bench.add("late", "192.0.2.9", { pieces: 0, costMs: 0.5 });
  bench.flood(1, () => "192.0.2.1", 0.5);
  bench.run(100);
  late.left = 1_000;
  const before = bench.pieces.length;
  bench.run(50);
  const since = bench.pieces.slice(before);
  const mine = since.filter(({ lane }) => lane === "late").length;
  assert.ok(Math.abs(since.length - 2 * mine) <= 6, `${mine} of ${since.length} pieces`);
  for (const lane of bench.lanes) lane.left = Math.min(lane.left, 1);
  bench.run(5);
  bench.lanes[1]!.left = 1;
  bench.run(1);
  assert.equal(bench.pieces.at(-1)!.byItself, true);
});

test("a connection that leaves while it waits is not called any more, and its peer is forgotten with the last one", () => {
  const bench = new Bench();
  bench.flood(3, () => "192.0.2.1", 5);
  bench.loop.turn++;
  for (const lane of bench.lanes) lane.read();
  for (const lane of bench.lanes) bench.scheduler.leave(lane.place);
  const done = bench.pieces.length;
  bench.run(0);
  bench.loop.runTurn([]);
  assert.equal(bench.pieces.length, done);
  assert.deepEqual(bench.scheduler.size, { peers: 0, waiting: 0 });
});
