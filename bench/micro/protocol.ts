// Owns: what the http2-micro scenario and the process that measures say to each other.

export const CASES = [
  "HPACK alone: repeated block",
  "HPACK alone: fresh block",
  "core: call with a repeated block",
  "core: call with a fresh block",
  "core: DATA of 150 octets",
  "core: WINDOW_UPDATE",
] as const;

export type CaseName = (typeof CASES)[number];

export interface Job {
  readonly name: CaseName;
  readonly durationMs: number;
}

export interface Measured {
  readonly nanoseconds: number;
}
