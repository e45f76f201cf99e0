// Owns: what scenarios and the programs that make load for them say to each other.

/** Calls for a while, or a number of them. */
export type LoadJob = { readonly inFlight: number } & ({ readonly seconds: number } | { readonly calls: number });

export interface PingPongJob {
  readonly port: number;
  readonly seconds: number;
  readonly streams: number;
}

export interface LoadReport {
  /** Or messages echoed. */
  readonly callsPerSecond: number;
}

export interface ClientReport extends LoadReport {
  readonly calls: number;
  /** Of all threads of this process, while the job ran. */
  readonly processorMicros: number;
}
