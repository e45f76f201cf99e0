/**
 * What an attack on a whole server runs over: memory, or real sockets of this machine, with or without TLS. Owns which of them is in
 * use; rows need not know it: `scene` opens a door of that kind, and `MemoryPeer` goes through it.
 *
 * The core's own attacks are bytes into a core, and know no wire.
 */
export const ATTACK_WIRES = ["memory", "tcp", "tls"] as const;

export type AttackWire = (typeof ATTACK_WIRES)[number];

let inUse: AttackWire = "memory";

/** Runs one attack, or honest peer, over that wire. One at a time: virtual time is one for the process too. */
export async function overWire<T>(wire: AttackWire, play: () => Promise<T>): Promise<T> {
  const before = inUse;
  inUse = wire;
  try {
    return await play();
  } finally {
    inUse = before;
  }
}

export function wireInUse(): AttackWire {
  return inUse;
}

/** In front of the names of cases: those over memory have none. */
export function wireLabel(wire: AttackWire): string {
  return wire === "memory" ? "" : `over ${wire === "tls" ? "TLS" : "TCP"}: `;
}
