/**
 * Compression of single messages: the names that stand in `grpc-encoding` and `grpc-accept-encoding`, and the contract of
 * what carries an encoding out.
 *
 * Must not know: zlib, threads, streams, and when a message is worth compressing.
 * Invariant: nothing is remembered from one message to the next; an inflated message never exceeds what was allowed, and
 * neither does the memory that finding this out takes.
 * Spec: gRPC compression.md; PROTOCOL-HTTP2 "Message-Encoding", "Message-Accept-Encoding".
 */

/** Every name known here; which of them this Node can carry out is up to `compression/`. */
export const COMPRESSION_NAMES = ["identity", "gzip", "deflate", "zstd"] as const;

/** `"identity"` sends messages as they are; `"deflate"` is the zlib format (RFC 1950), as all of gRPC has it. */
export type CompressionName = (typeof COMPRESSION_NAMES)[number];

/** The encoding that changes nothing, which every peer accepts. */
export const IDENTITY = "identity";

/** Why a message could not be inflated. */
export interface InflateFault {
  /** It is larger than allowed; otherwise its bytes are no message of the encoding. */
  readonly isTooLarge: boolean;
  readonly text: string;
}

/** One encoding other than identity. The off-loop methods call back exactly once, in a later turn, and never throw. */
export interface MessageEncoding {
  readonly name: CompressionName;
  /** `undefined` where the bytes could not be compressed; they can go out as they are. */
  compress(message: Uint8Array): Buffer | undefined;
  compressOffLoop(message: Uint8Array, onDone: (compressed: Buffer | undefined) => void): void;
  inflate(message: Uint8Array, maxBytes: number): Buffer | InflateFault;
  inflateOffLoop(message: Uint8Array, maxBytes: number, onDone: (result: Buffer | InflateFault) => void): void;
}

/** Whether a value of `grpc-accept-encoding`, which is a list with commas, names this encoding. */
export function listsEncoding(list: string, name: string): boolean {
  if (list === name) return true;
  for (let at = 0; at <= list.length; ) {
    const comma = list.indexOf(",", at);
    const end = comma < 0 ? list.length : comma;
    if (list.slice(at, end).trim() === name) return true;
    at = end + 1;
  }
  return false;
}
