/**
 * What carries octets: a TCP or Unix socket, with or without TLS, or memory. Owns the contract between such a carrier and the driver of a
 * connection; knows no HTTP/2.
 */

import type { Role } from "../http2/index.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/** Who is on the other end. */
export interface Peer {
  /** "127.0.0.1:50312", "[::1]:50312", "unix:/run/x.sock" or "memory". */
  readonly address: string;
  /** Undefined without TLS. */
  readonly tls?: TlsIdentity | undefined;
}

export interface Wire {
  readonly peer: Peer;
  /** True: taken whole, `bytes` may be reused at once. False: it is in use until `onWritten`. One write at a time. */
  write(bytes: Buffer, onWritten: () => void): boolean;
  /** Octets of the write under way that wait for the peer to read; less than before means that it does. */
  readonly unsentBytes: number;
  /** Octets that came from the peer, those among them that cannot be delivered yet: an incomplete record of TLS. */
  readonly receivedBytes: number;
  /** How far it has been read, with what waits for its turn: for `isHandled`. */
  readonly inputMark: number;
  /** Nothing that had been read when the mark was here waits for its turn any more. */
  isHandled(inputMark: number): boolean;
  /** No chunk is delivered until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends our side after what was written; the wire closes once the peer has ended its side too. May be repeated. */
  end(): void;
  /** Closes at once. `onClosed` follows. */
  destroy(): void;
  /** Whether the wire keeps the process alive. */
  ref(): void;
  unref(): void;
}

export interface WireSink {
  /** Ours. Servers that we chose to talk to share no turns with clients that have their address. Default "server". */
  readonly role?: Role;
  /** See `turn-scheduler.ts`; Infinity: bytes come as they are read, whoever else waits. Default 1 ms. */
  readonly turnSliceMs?: number;
  /** Bytes have arrived that have to wait for their turn. */
  onTurnWaited?(): void;
  /** `bytes` belong to the wire again after the call. */
  onChunk(bytes: Buffer): void;
  /** The peer ended its side. */
  onEnd(): void;
  /** Once, last. `error` where it was not a clean close. */
  onClosed(error: Error | undefined): void;
}
