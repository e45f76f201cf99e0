/** What of many connections waits for turns, counted in bytes: the scheduler here never has a turn to give. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ParkedBytes } from "./parked-bytes.ts";
import { TurnGate } from "./turn-gate.ts";
import { TurnScheduler } from "./turn-scheduler.ts";

const MiB = 1024 * 1024;
const FIRST_READ = 4_096;

function gateOf(t: TestContext) {
  const pieces: number[] = [];
  const sink = { onChunk: (bytes: Buffer) => void pieces.push(bytes.length), onEnd() {}, onClosed() {} };
  const clock = { nowMs: () => 0, atEndOfTurn() {}, soon() {}, stepsDone() {} };
  const scheduler = new TurnScheduler(clock);
  const reader = { stopReading() {}, startReading() {} };
  const busy = scheduler.join("192.0.2.1", { takeTurn() {}, onCharged() {} });
  scheduler.wait(busy);
  const gate = new TurnGate(sink, "192.0.2.2", reader, scheduler);
  // It has had more than the one that waits.
  scheduler.begin(scheduler.join("192.0.2.2", { takeTurn() {}, onCharged() {} }), 0);
  scheduler.begin(busy, 3);
  t.after(() => gate.drop());
  return { gate, pieces };
}

/** A gate whose every piece calls `onPiece`, and a scheduler that gives turns when it is told to. */
function gateInTurn(onPiece: (gate: TurnGate) => void) {
  const log: string[] = [];
  const steps: (() => void)[] = [];
  const clock = { nowMs: () => 0, atEndOfTurn() {}, soon: (run: () => void) => void steps.push(run), stepsDone() {} };
  const sink = {
    onChunk(bytes: Buffer) {
      log.push(`${bytes.length} bytes`);
      onPiece(gate);
    },
    onEnd: () => void log.push("end"),
    onClosed: () => void log.push("closed"),
  };
  const reader = { stopReading() {}, startReading() {} };
  const gate = new TurnGate(sink, "192.0.2.1", reader, new TurnScheduler(clock));
  const runTurn = (): void => {
    for (const step of steps.splice(0)) step();
  };
  return { gate, log, runTurn };
}

test("a wire that closed is over as soon as its sink takes no more of what waited", () => {
  const { gate, log, runTurn } = gateInTurn((held) => held.hold());
  gate.onEarlyBytes(Buffer.alloc(10_000));
  gate.onEnd();
  gate.onClosed(undefined);
  assert.deepEqual(log, []);
  runTurn();
  assert.deepEqual(log, [`${FIRST_READ} bytes`, "closed"]);
});

test("what waited comes before the end and the close", () => {
  const { gate, log, runTurn } = gateInTurn(() => undefined);
  gate.onEarlyBytes(Buffer.alloc(5_000));
  gate.onEnd();
  gate.onClosed(undefined);
  runTurn();
  assert.deepEqual(log, [`${FIRST_READ} bytes`, "904 bytes", "end", "closed"]);
});

function fill(t: TestContext, bytes: number): void {
  const others = new ParkedBytes();
  others.add(Buffer.alloc(bytes));
  t.after(() => others.clear());
}

test("a server that we talk to shares no turns with clients that have its address", () => {
  const clock = { nowMs: () => 0, atEndOfTurn() {}, soon() {}, stepsDone() {} };
  const scheduler = new TurnScheduler(clock);
  const reader = { stopReading() {}, startReading() {} };
  const sink = { onChunk() {}, onEnd() {}, onClosed() {} };
  const roles = ["server", "server", "client", "client", undefined] as const;
  const gates = roles.map(
    (role) => new TurnGate(role === undefined ? sink : { ...sink, role }, "::1", reader, scheduler),
  );
  assert.equal(scheduler.size.peers, 2);
  for (const gate of gates) gate.onClosed(undefined);
  assert.equal(scheduler.size.peers, 0);
});

test("a byte that waits holds no more memory than a few, and gives it back", () => {
  const before = ParkedBytes.totalMemory;
  const all = Array.from({ length: 1_000 }, () => new ParkedBytes());
  for (const parked of all) parked.add(Buffer.of(1));
  assert.ok(ParkedBytes.totalMemory - before <= 16_000, `${ParkedBytes.totalMemory - before} bytes for a thousand`);
  for (const parked of all) for (let more = 0; more < 10; more++) parked.add(Buffer.alloc(1_000));
  assert.ok(ParkedBytes.totalMemory - before >= 10_000_000);
  for (const parked of all) parked.take(5_000, () => undefined);
  for (const parked of all) parked.take(6_000, () => undefined);
  assert.equal(ParkedBytes.totalMemory, before);
});

test("where much waits for turns, connections read little, and that waits as well", (t) => {
  const { gate, pieces } = gateOf(t);
  gate.pace.bytes = 65_536;
  gate.onBytes(Buffer.alloc(1_000));
  assert.deepEqual([gate.pace.bytes, pieces], [65_536, []]);
  fill(t, 64 * MiB);
  gate.onBytes(Buffer.alloc(1_000));
  assert.deepEqual([gate.pace.bytes, pieces], [FIRST_READ, []]);
  const next = gateOf(t);
  next.gate.onBytes(Buffer.alloc(FIRST_READ));
  assert.deepEqual(next.pieces, []);
});

test("beyond the most that waits for turns, a large read goes through whole", (t) => {
  const { gate, pieces } = gateOf(t);
  fill(t, 64 * MiB);
  gate.onBytes(Buffer.alloc(65_536));
  assert.deepEqual(pieces, [65_536]);
});
