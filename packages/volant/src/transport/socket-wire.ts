/**
 * A wire over a Node socket: TCP or Unix, plain or with TLS. Owns the socket's listeners from the end of the handshake on.
 */

import type { Socket } from "node:net";
import { ProcessHold } from "./process-hold.ts";
import { ReadPace } from "./read-pace.ts";
import { shareReads } from "./shared-reads.ts";
import { monotonicMs, setImmediate } from "./time.ts";
import type { TlsIdentity } from "./tls-identity.ts";
import type { Peer, Wire, WireSink } from "./wire.ts";

/**
 * What Node's own socket timeout reads to tell a slow write from a stuck one; `writableLength` stays the same until a write
 * is over. Where a Node has it no more, whole writes are what counts, and whole records.
 */
interface HandleOfSystem {
  readonly writeQueueSize?: number;
  readonly bytesRead?: number;
  /** Of TLS: what is below it. */
  readonly _parent?: HandleOfSystem;
}

/** Wires of this thread that read nothing until the next turn. */
let yieldingCount = 0;

export class SocketWire implements Wire {
  readonly peer: Peer;
  private readonly socket: Socket;
  private readonly hold = new ProcessHold();
  private isReferenced = true;
  private isPaused = false;
  private isYielding = false;

  /**
   * The socket must be connected. `path` names a Unix socket, which has no address of its own; `tls` is what a handshake on
   * this socket found.
   */
  constructor(socket: Socket, sink: WireSink, path?: string, tls?: TlsIdentity) {
    this.socket = socket;
    this.peer = { address: peerAddress(socket, path), tls };
    let failure: Error | undefined;
    socket.setNoDelay(true);
    const pace = new ReadPace();
    const onBytes = (bytes: Buffer): void => {
      const startedMs = monotonicMs();
      sink.onChunk(bytes);
      if (pace.onRead(bytes.length, monotonicMs() - startedMs, yieldingCount)) this.yieldTurn();
    };
    // TLS has its own buffer below, and hands on what it has decrypted although it was told to pause.
    if (tls !== undefined || !shareReads(socket, pace, onBytes))
      socket.on("data", (chunk: Buffer) => sink.onChunk(chunk));
    else socket.resume();
    socket.on("end", () => sink.onEnd());
    socket.on("error", (error) => {
      failure ??= error;
      // Node leaves a socket open whose TLS is broken: nothing would be read of it any more, and nobody would hear of that.
      socket.destroy();
    });
    socket.on("close", () => {
      this.hold.set(false);
      sink.onClosed(failure);
    });
  }

  write(bytes: Buffer, onWritten: () => void): boolean {
    if (this.socket.destroyed) return true;
    let returned = false;
    this.socket.write(bytes, () => {
      if (returned) onWritten();
    });
    // Node writes plain sockets synchronously where the kernel has room; then nothing is left queued. What TLS was given it
    // may still have to encrypt: only its callback says that it is done, and that never comes before this returns.
    if (this.peer.tls === undefined && this.socket.writableLength === 0) return true;
    returned = true;
    return false;
  }

  get unsentBytes(): number {
    const { handle } = this;
    if (handle?.writeQueueSize === undefined) return this.socket.writableLength;
    // TLS counts a write until all of it was taken; only the socket below tells how much of it was.
    return handle.writeQueueSize + (handle._parent?.writeQueueSize ?? 0);
  }

  get receivedBytes(): number {
    return this.handle?._parent?.bytesRead ?? this.socket.bytesRead;
  }

  private get handle(): HandleOfSystem | null | undefined {
    return (this.socket as unknown as { readonly _handle?: HandleOfSystem | null })._handle;
  }

  pause(): void {
    this.isPaused = true;
    this.updateHold();
    this.socket.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.updateHold();
    if (!this.isYielding) this.socket.resume();
  }

  end(): void {
    // Node makes an error with a stack for an end that is repeated.
    if (!this.socket.writableEnded) this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  ref(): void {
    this.isReferenced = true;
    this.updateHold();
    this.socket.ref();
  }

  unref(): void {
    this.isReferenced = false;
    this.updateHold();
    this.socket.unref();
  }

  /** Nothing more is read until the others had their turn. */
  private yieldTurn(): void {
    if (this.isPaused || this.isYielding || this.socket.destroyed) return;
    this.isYielding = true;
    yieldingCount++;
    this.socket.pause();
    setImmediate(() => {
      this.isYielding = false;
      yieldingCount--;
      if (!this.isPaused) this.socket.resume();
    });
  }

  private updateHold(): void {
    this.hold.set(this.isPaused && this.isReferenced && !this.socket.destroyed);
  }
}

export function peerAddress(socket: Socket, path: string | undefined): string {
  if (path !== undefined) return `unix:${path}`;
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined) return "unknown";
  return remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}
