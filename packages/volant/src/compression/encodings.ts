/**
 * The encodings that this Node can carry out. Owns the table from name to implementation; zstd is in it where
 * `node:zlib` has it (22.15, 23.8 and later).
 */
import * as zlib from "node:zlib";
import { COMPRESSION_NAMES, type CompressionName, IDENTITY, type MessageEncoding } from "../grpc/message-encoding.ts";
import { ZlibEncoding, type ZlibFunctions } from "./zlib-encoding.ts";

/**
 * RFC 8878 §3.1.1.1.2: decoders should take windows of 8 MiB. A decoder reserves the window that a frame declares before
 * it has seen any data, and zlib's own bound is 128 MiB: a message of twenty octets could ask for that.
 */
const MIN_WINDOW_LOG = 23;
const MAX_WINDOW_LOG = 31;

function zstdFunctions(): ZlibFunctions | undefined {
  if (typeof zlib.zstdCompress !== "function") return undefined;
  const { ZSTD_d_windowLogMax } = zlib.constants;
  return {
    compress: zlib.zstdCompressSync,
    compressOffLoop: zlib.zstdCompress,
    inflate: zlib.zstdDecompressSync,
    inflateOffLoop: zlib.zstdDecompress,
    inflateParams: (maxBytes) => ({
      [ZSTD_d_windowLogMax]: Math.min(MAX_WINDOW_LOG, Math.max(MIN_WINDOW_LOG, Math.ceil(Math.log2(maxBytes)))),
    }),
  };
}

const FUNCTIONS: Readonly<Record<Exclude<CompressionName, "identity">, ZlibFunctions | undefined>> = {
  gzip: {
    compress: zlib.gzipSync,
    compressOffLoop: zlib.gzip,
    inflate: zlib.gunzipSync,
    inflateOffLoop: zlib.gunzip,
  },
  deflate: {
    compress: zlib.deflateSync,
    compressOffLoop: zlib.deflate,
    inflate: zlib.inflateSync,
    inflateOffLoop: zlib.inflate,
  },
  zstd: zstdFunctions(),
};

/** Everything but identity, in the order in which it is advertised. */
export const ENCODINGS: ReadonlyMap<string, MessageEncoding> = new Map(
  COMPRESSION_NAMES.flatMap((name) => {
    const functions = name === IDENTITY ? undefined : FUNCTIONS[name];
    return functions === undefined ? [] : [[name, new ZlibEncoding(name, functions)] as const];
  }),
);

/** `undefined` is identity. Throws TypeError for a name that this Node cannot carry out; `where` is the option's name. */
export function requireEncoding(where: string, name: string): MessageEncoding | undefined {
  const encoding = ENCODINGS.get(name);
  if (encoding !== undefined || name === IDENTITY) return encoding;
  const allowed = [IDENTITY, ...ENCODINGS.keys()].join(", ");
  throw new TypeError(`${where}: ${JSON.stringify(name)} given, this Node has ${allowed}`);
}
