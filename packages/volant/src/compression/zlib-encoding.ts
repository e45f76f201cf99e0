/**
 * A message encoding on top of `node:zlib`. Owns the bounds while inflating, and what counts as a malformed message.
 *
 * Must not know: streams, gRPC statuses, and which messages are compressed at all.
 * Invariants: inflating stops at the first output chunk beyond `maxBytes`, whatever the input promises (a 10 KiB bomb of
 * 1 GiB costs `maxBytes` and a chunk); octets behind the compressed data are a fault, or two peers could read the same
 * message differently.
 * Spec: RFC 1950, RFC 1952, RFC 8878; gRPC compression.md.
 */
import type { CompressionName, InflateFault, MessageEncoding } from "../grpc/message-encoding.ts";
import { MAX_MESSAGE_LENGTH } from "../grpc/message-prefix.ts";

/** What is asked of zlib. */
export interface ZlibOptions {
  readonly chunkSize?: number;
  readonly maxOutputLength?: number;
  readonly info?: boolean;
  readonly params?: Readonly<Record<number, number>>;
}

type OnResult = (error: Error | null, result: Buffer) => void;

/** The four functions of `node:zlib` that carry out one format. */
export interface ZlibFunctions {
  readonly compress: (bytes: Uint8Array, options: ZlibOptions) => Buffer;
  readonly compressOffLoop: (bytes: Uint8Array, options: ZlibOptions, onResult: OnResult) => void;
  readonly inflate: (bytes: Uint8Array, options: ZlibOptions) => Buffer;
  readonly inflateOffLoop: (bytes: Uint8Array, options: ZlibOptions, onResult: OnResult) => void;
  /** Further parameters of inflating a message of at most `maxBytes`. */
  readonly inflateParams?: (maxBytes: number) => Readonly<Record<number, number>>;
}

/** With `info: true` zlib tells how much of the input it used. */
interface InflatedWithInfo {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

const MIN_CHUNK_BYTES = 1_024;
/** Each chunk of output is a trip to a thread; larger ones are mostly air for messages of usual size. */
const MAX_CHUNK_BYTES = 65_536;
/** What text inflates to, so that most messages need one chunk. */
const USUAL_RATIO = 4;

export class ZlibEncoding implements MessageEncoding {
  readonly name: CompressionName;
  private readonly zlib: ZlibFunctions;

  constructor(name: CompressionName, zlib: ZlibFunctions) {
    this.name = name;
    this.zlib = zlib;
  }

  compress(message: Uint8Array): Buffer | undefined {
    try {
      return this.zlib.compress(message, { chunkSize: chunkFor(message.length) });
    } catch {
      // Only for want of memory; the message can still go out as it is.
      return undefined;
    }
  }

  compressOffLoop(message: Uint8Array, onDone: (compressed: Buffer | undefined) => void): void {
    this.zlib.compressOffLoop(message, { chunkSize: chunkFor(message.length) }, (error, compressed) => {
      onDone(error === null ? compressed : undefined);
    });
  }

  inflate(message: Uint8Array, maxBytes: number): Buffer | InflateFault {
    try {
      return judge(this.zlib.inflate(message, this.inflateOptions(message, maxBytes)), message, maxBytes);
    } catch (error) {
      return faultOf(error, maxBytes);
    }
  }

  inflateOffLoop(message: Uint8Array, maxBytes: number, onDone: (result: Buffer | InflateFault) => void): void {
    this.zlib.inflateOffLoop(message, this.inflateOptions(message, maxBytes), (error, result) => {
      onDone(error === null ? judge(result, message, maxBytes) : faultOf(error, maxBytes));
    });
  }

  private inflateOptions(message: Uint8Array, maxBytes: number): ZlibOptions {
    return {
      chunkSize: chunkFor(message.length * USUAL_RATIO),
      // Zero is illegal for zlib, and so is Infinity; judge() sees the one octet.
      maxOutputLength: Math.min(Math.max(1, maxBytes), MAX_MESSAGE_LENGTH),
      info: true,
      ...(this.zlib.inflateParams === undefined ? undefined : { params: this.zlib.inflateParams(maxBytes) }),
    };
  }
}

function chunkFor(expectedBytes: number): number {
  return Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, expectedBytes));
}

function judge(result: unknown, message: Uint8Array, maxBytes: number): Buffer | InflateFault {
  const { buffer, engine } = result as InflatedWithInfo;
  if (buffer.length > maxBytes) return tooLarge(maxBytes);
  const extra = message.length - engine.bytesWritten;
  if (extra > 0) return { isTooLarge: false, text: `${extra} octets follow the compressed data` };
  return buffer;
}

function faultOf(error: unknown, maxBytes: number): InflateFault {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ERR_BUFFER_TOO_LARGE" || code === "ZSTD_error_frameParameter_windowTooLarge") return tooLarge(maxBytes);
  return { isTooLarge: false, text: message };
}

function tooLarge(maxBytes: number): InflateFault {
  return { isTooLarge: true, text: `it inflates to more than the ${maxBytes} bytes that are allowed` };
}
