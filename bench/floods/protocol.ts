// Owns: what the floods scenario, its attacker and its probe say to each other.

/** Reckless: as much as is read. Patient: just under every limit. */
export const ATTACK_STYLES = ["reckless", "patient"] as const;

export type AttackStyle = (typeof ATTACK_STYLES)[number];

/** What an attacker did. */
export interface AttackReport {
  readonly connections: number;
  /** Frames and octets that were handed to sockets. */
  readonly frames: number;
  readonly bytes: number;
  /** Connections given up because the server did not read, and those it ended. */
  readonly stalled: number;
  readonly ended: number;
}

export interface ProbeJob {
  readonly seconds: number;
  readonly callsPerSecond: number;
}

export interface ProbeReport {
  readonly calls: number;
  readonly failed: number;
  /** From when a call was due to its answer. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** From when a call was due to when the probe began it: what the probe itself adds to the figures. */
  readonly p99LateMs: number;
}

export interface BacklogJob {
  readonly sockets: number;
}

export interface BacklogReport {
  readonly bytes: number;
  /** Until the server had read all of it. */
  readonly ms: number;
}
