/**
 * Misuse of the core by our own runtime. Peer faults never throw (they become {@link Fault}s); this does, because it is
 * a bug on our side of the wire.
 */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
