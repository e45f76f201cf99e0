/**
 * Reads every socket of this thread into one buffer. Buys: no buffer of 64 KiB for each read, which Node takes from malloc
 * and V8 counts until a collection frees it; under a flood that was two full collections a second and 60 MB more
 * resident. docs/adr/0009-shared-read-buffer.md.
 *
 * Node does this for sockets that a program opens (`onread` of net.connect), and not for those that a server accepts. The
 * fields behind that option are set here, for both, and for TLS as well; where a Node has them no more the caller reads as
 * everybody does. Not on Windows: there the system is given the buffer ahead of the octets, and two sockets would share it.
 */
import { Socket } from "node:net";
import { MAX_READ_BYTES, type ReadPace } from "./read-pace.ts";

interface Fields {
  readonly buffer: symbol;
  readonly callback: symbol;
  /** Asked for the next buffer, after each callback. */
  readonly generator: symbol;
}

type SharingSocket = Socket & Record<symbol, unknown> & { readonly _handle?: { useUserBuffer?(buffer: Buffer): void } };

const fields = findFields();
let shared: Buffer | undefined;

/**
 * From now on `onBytes` gets what the socket reads, at most `pace.bytes` at once, in a buffer that is the next reader's
 * after the call; "data" is not emitted. False: nothing was changed, the socket cannot do it.
 */
export function shareReads(socket: Socket, pace: ReadPace, onBytes: (bytes: Buffer) => void): boolean {
  const sharing = socket as SharingSocket;
  if (fields === undefined || typeof sharing._handle?.useUserBuffer !== "function") return false;
  shared ??= Buffer.allocUnsafeSlow(MAX_READ_BYTES);
  const memory = shared;
  let buffer = memory.subarray(0, pace.bytes);
  const onRead = (length: number): void => onBytes(length === buffer.length ? buffer : buffer.subarray(0, length));
  const nextBuffer = (): Buffer | undefined => {
    if (pace.bytes === buffer.length) return undefined;
    buffer = memory.subarray(0, pace.bytes);
    return buffer;
  };
  sharing[fields.buffer] = buffer;
  sharing[fields.callback] = onRead;
  sharing[fields.generator] = nextBuffer;
  sharing._handle.useUserBuffer(buffer);
  return true;
}

function findFields(): Fields | undefined {
  if (process.platform === "win32") return undefined;
  const symbols = Object.getOwnPropertySymbols(new Socket());
  const find = (name: string): symbol | undefined => symbols.find(({ description }) => description === name);
  const [buffer, callback, generator] = [find("kBuffer"), find("kBufferCb"), find("kBufferGen")];
  return buffer && callback && generator && { buffer, callback, generator };
}
