// Owns: how slow the honest client's calls may become under attack.
// Must not know: which attack, and how it is measured.

import type { Target } from "../lib/targets.ts";
import type { Transport } from "../lib/transport.ts";
import type { AttackReport, AttackStyle, ProbeReport } from "./protocol.ts";

const MAX_FACTOR = 2;
const MAX_ADDED_MS = 10;
const GOAL_FACTOR = 1.25;
const GOAL_ADDED_MS = 2;
/** A probe that is this much later than without the attack waits for its own processor. */
const MAX_ADDED_LATENESS_MS = 5;

/** What is judged: one flood, in one style, with attacker and victim on one transport. */
export interface Attack {
  readonly flood: string;
  readonly style: AttackStyle;
  readonly transport: Transport;
}

/** As rows name it. */
export function nameFlood(flood: string, transport: Transport): string {
  return `flood${transport === "tls" ? " over TLS" : ""}: ${flood}`;
}

/** The limit follows from the quiet run: twice its p99, or 10 ms more where that is more. */
export function createLatencyTarget({ flood, style, transport }: Attack, quietMs: number): Target {
  const limit = (factor: number, addedMs: number): number =>
    Math.round(Math.max(factor * quietMs, quietMs + addedMs) * 10) / 10;
  return {
    scenario: `${nameFlood(flood, transport)}${style === "patient" ? ", under the limits" : ""}`,
    peer: "p99 of calls, quiet",
    unit: "ms",
    measure: "value",
    direction: "lower",
    must: limit(MAX_FACTOR, MAX_ADDED_MS),
    goal: limit(GOAL_FACTOR, GOAL_ADDED_MS),
  };
}

export interface FloodRun {
  readonly quiet: ProbeReport;
  readonly flooded: ProbeReport;
  readonly attacked: AttackReport;
  readonly style: AttackStyle;
  readonly target: Target;
}

/**
 * Why a flooded run says nothing about the server, if it does. A probe that was late measured too long a time: where even that is within
 * the limit, the run counts.
 */
export function findFloodVoidReason({ quiet, flooded, attacked, style, target }: FloodRun): string | undefined {
  if (attacked.frames === 0) return "the attacker could send nothing";
  if (style === "patient" && attacked.ended > 0)
    return `the server ended ${attacked.ended} connections within the limits`;
  const { must } = target;
  if (must !== null && flooded.p99Ms <= must) return undefined;
  const added = flooded.p99LateMs - quiet.p99LateMs;
  if (added > MAX_ADDED_LATENESS_MS) return `the probe itself was ${added.toFixed(1)} ms later than without the attack`;
  return undefined;
}
