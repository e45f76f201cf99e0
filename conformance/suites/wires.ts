/**
 * The two ways to reach a peer, for suites that run their checks on both.
 */
import type { Checks } from "./suite.ts";

export const WIRES = ["cleartext", "TLS"] as const;

export type Wire = (typeof WIRES)[number];

/** The checks of both; the name of each says which. */
export function onBothWires(checksOn: (wire: Wire) => Checks): Checks {
  const named = WIRES.flatMap((wire) =>
    Object.entries(checksOn(wire)).map(([name, check]) => [`${wire}: ${name}`, check] as const),
  );
  return Object.fromEntries(named);
}
