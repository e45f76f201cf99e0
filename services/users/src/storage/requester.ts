/**
 * For whom the storage works: whose turn it takes and how long the answer is wanted. Knows no statement and no gRPC.
 */

export interface Requester {
  /** Whoever takes turns with others, such as a network address. */
  readonly group: string;
  /** A part of the group that takes turns with its other parts, such as one connection of the address. */
  readonly member: string;
  /**
   * Fires when the answer is no longer wanted. Work that has not begun then never does; a read that has begun stops where
   * the engine can stop it; a write that has begun is finished.
   */
  readonly signal?: AbortSignal | undefined;
}

/** The service itself: migrations, readiness, whatever no caller asked for. */
export const SERVICE: Requester = { group: "service", member: "service" };
