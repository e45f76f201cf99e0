/**
 * A timer that fires later than this says that our own process stood still: what came meanwhile is not read yet, and gets
 * as long to be.
 */
export const LATE_MS = 1_000;
