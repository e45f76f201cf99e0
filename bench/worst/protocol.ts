// Owns: what the decode-worst scenario and the process that measures say to each other.

export interface Job {
  /** Of an input. */
  readonly name: string;
}

export interface Measured {
  /** Processor time of the whole process, garbage collection included. */
  readonly ms: number;
  /** What the heap grew by, and memory outside of it, before anything was collected on purpose. */
  readonly megabytes: number;
  readonly refused: boolean;
}
