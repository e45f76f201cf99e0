// Owns: what scenarios and the programs that make load for them say to each other.

export interface LoadJob {
  readonly seconds: number;
  readonly inFlight: number;
}

export interface PingPongJob {
  readonly port: number;
  readonly seconds: number;
  readonly streams: number;
}

export interface LoadReport {
  /** Or messages echoed. */
  readonly callsPerSecond: number;
}
