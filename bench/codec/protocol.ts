// Owns: what the codec scenario and its workers say to each other.

export type CodecName =
  | "volant"
  | "volant into a buffer"
  | "protobuf-es"
  | "protobufjs static"
  | "protobufjs reflect"
  | "ts-proto";

export interface Job {
  readonly shape: string;
  readonly operation: "encode" | "decode";
  readonly durationMs: number;
}

export interface Measured {
  readonly perSecond: number;
  /** On the heap and in array buffers, for one operation. */
  readonly allocatedBytes: number;
}
