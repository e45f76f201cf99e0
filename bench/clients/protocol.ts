// Owns: what the unary-client scenario and the clients under test say to each other.

export interface LoadJob {
  readonly seconds: number;
  readonly inFlight: number;
}

export interface LoadReport {
  readonly callsPerSecond: number;
}
