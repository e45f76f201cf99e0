/**
 * A wire over a Node socket: TCP or Unix, plain or with TLS. Owns the socket's listeners from the end of the handshake on.
 */

import type { Socket } from "node:net";
import { networkOfPeer } from "./peer-network.ts";
import { ProcessHold } from "./process-hold.ts";
import { shareReads } from "./shared-reads.ts";
import type { TlsIdentity } from "./tls-identity.ts";
import { type GatedReader, TurnGate } from "./turn-gate.ts";
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

export class SocketWire implements Wire, GatedReader {
  readonly peer: Peer;
  private readonly socket: Socket;
  private readonly gate: TurnGate;
  private readonly hold = new ProcessHold();
  private isReferenced = true;
  private isPaused = false;
  private isWaitingForTurn = false;

  /**
   * The socket must be connected. `path` names a Unix socket, which has no address of its own; `tls` is what a handshake on
   * this socket found.
   */
  constructor(socket: Socket, sink: WireSink, path?: string, tls?: TlsIdentity) {
    this.socket = socket;
    this.peer = { address: peerAddress(socket, path), tls };
    let failure: Error | undefined;
    socket.setNoDelay(true);
    this.gate = new TurnGate(sink, networkOfPeer(this.peer.address), this);
    const onBytes = (bytes: Buffer): void => this.gate.onBytes(bytes);
    // What TLS has decrypted already is waiting in the socket; both ways it comes behind that.
    const early = socket.readableLength > 0 ? (socket.read() as Buffer | null) : null;
    if (!shareReads(socket, this.gate.pace, onBytes)) socket.on("data", onBytes);
    socket.resume();
    if (early !== null) this.gate.onEarlyBytes(early);
    socket.on("end", () => this.gate.onEnd());
    socket.on("error", (error) => {
      failure ??= error;
      // Node leaves a socket open whose TLS is broken: nothing would be read of it any more, and nobody would hear of that.
      socket.destroy();
    });
    socket.on("close", () => {
      this.hold.set(false);
      this.gate.onClosed(failure);
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

  get inputMark(): number {
    return this.gate.inputMark;
  }

  isHandled(inputMark: number): boolean {
    return this.gate.isHandled(inputMark);
  }

  pause(): void {
    this.isPaused = true;
    this.updateHold();
    this.gate.hold();
    this.socket.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.updateHold();
    this.gate.release();
    if (!this.isWaitingForTurn && !this.isPaused) this.socket.resume();
  }

  end(): void {
    // Node makes an error with a stack for an end that is repeated.
    if (!this.socket.writableEnded) this.socket.end();
  }

  destroy(): void {
    this.gate.drop();
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

  stopReading(): void {
    this.isWaitingForTurn = true;
    this.socket.pause();
  }

  startReading(): void {
    this.isWaitingForTurn = false;
    if (!this.isPaused) this.socket.resume();
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
