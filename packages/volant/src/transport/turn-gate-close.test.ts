/** What a gate does with bytes that still wait when their connection breaks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TurnGate } from "./turn-gate.ts";
import { TurnScheduler } from "./turn-scheduler.ts";
import type { WireSink } from "./wire.ts";

/** A gate with bytes that wait, since another peer is busy; `run` gives everybody the turns that were asked for. */
function gateWithWaitingBytes(role: "client" | "server"): { gate: TurnGate; log: string[]; run: () => void } {
  const asked: (() => void)[] = [];
  let nowMs = 0;
  const turns = new TurnScheduler({
    nowMs: () => nowMs,
    atEndOfTurn: () => undefined,
    soon: (step) => void asked.push(step),
    stepsDone: () => undefined,
  });
  turns.join("somebody else", { takeTurn: () => undefined, onCharged: () => undefined });
  const log: string[] = [];
  const sink: WireSink = {
    role,
    onChunk: (bytes) => {
      log.push(bytes.length === 20 ? "the rest" : "a piece");
      nowMs += 100;
    },
    onEnd: () => void log.push("end"),
    onClosed: (error) => void log.push(`closed ${error?.message ?? "cleanly"}`),
  };
  const gate = new TurnGate(sink, "peer", { stopReading: () => undefined, startReading: () => undefined }, turns);
  // More than is handled at once.
  gate.onBytes(Buffer.alloc(gate.pace.bytes + 20));
  const run = (): void => {
    for (let rounds = 0; rounds < 50 && asked.length > 0; rounds++) for (const step of asked.splice(0)) step();
  };
  return { gate, log, run };
}

test("a server does not begin what a client asked for that has broken its connection", () => {
  const { gate, log, run } = gateWithWaitingBytes("server");
  assert.deepEqual(log, ["a piece"]);
  gate.onClosed(new Error("ECONNRESET"));
  assert.deepEqual(log, ["a piece", "closed ECONNRESET"]);
  run();
  assert.equal(log.length, 2);
});

for (const [role, error] of [
  ["server", undefined],
  ["client", new Error("ECONNRESET")],
] as const) {
  test(`what a ${role} has read before a ${error === undefined ? "clean" : "broken"} end is handled first`, () => {
    const { gate, log, run } = gateWithWaitingBytes(role);
    gate.onClosed(error);
    assert.deepEqual(log, ["a piece"]);
    run();
    assert.deepEqual(log, ["a piece", "the rest", `closed ${error?.message ?? "cleanly"}`]);
  });
}
