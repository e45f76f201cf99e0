/** Connectivity states of channels and subchannels. gRPC connectivity-semantics-and-api. */

export type ConnectivityState = "IDLE" | "CONNECTING" | "READY" | "TRANSIENT_FAILURE" | "SHUTDOWN";
