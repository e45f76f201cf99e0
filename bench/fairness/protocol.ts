// Owns: what the fairness scenario, its server, its attacker and its probe say to each other.

export type ServerJob =
  | { readonly what: "listen"; readonly tls?: { readonly cert: string; readonly key: string } }
  | { readonly what: "watch"; readonly heldUpMs: number; readonly watchedMs: number };

export interface ServerReport {
  readonly port?: number;
  readonly longestTurnMs?: number;
}

/** Legal calls and calls of unknown methods, a hundred open at all times; or 2 MB of tiny frames at once. */
export type AttackKind = "legal calls" | "unknown methods" | "tiny frames";

export interface AttackJob {
  readonly kind: AttackKind;
  readonly port: number;
  /** Where it connects from. */
  readonly localAddress: string;
  /** The authority of the server's certificate; undefined: cleartext. */
  readonly ca?: string | undefined;
  readonly connections: number;
  /** When it sends its first byte, in ms since 1970, if it is connected by then; undefined: at once. */
  readonly sendsAt?: number;
  /** How long it goes on; 0 stops what goes on. */
  readonly seconds: number;
}

export interface AttackReport {
  readonly answers: number;
  readonly ended: number;
}
