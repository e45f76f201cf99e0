// Owns: the ways to reach a server of this machine that a scenario may run over.

export const TRANSPORTS = ["cleartext", "tls"] as const;

export type Transport = (typeof TRANSPORTS)[number];
