/**
 * Connections of one client address: without a limit a single machine takes every place there is. Owns the counts; a place
 * is taken at accept, before any TLS handshake, and free when the socket is closed. Unix sockets have no address.
 */
import type { Socket } from "node:net";
import { networkOf } from "../transport/peer-network.ts";

export class AddressLimit {
  private readonly max: number;
  private readonly counts = new Map<string, number>();

  /** Infinity: nothing is counted. */
  constructor(max: number) {
    this.max = max;
  }

  /** False: the address has its share already. */
  admit(socket: Socket): boolean {
    const { remoteAddress } = socket;
    if (this.max === Number.POSITIVE_INFINITY || remoteAddress === undefined) return true;
    const network = networkOf(remoteAddress);
    const count = this.counts.get(network) ?? 0;
    if (count >= this.max) return false;
    this.counts.set(network, count + 1);
    socket.once("close", () => this.leave(network));
    return true;
  }

  /** Addresses with a connection. */
  get size(): number {
    return this.counts.size;
  }

  private leave(network: string): void {
    const count = this.counts.get(network)! - 1;
    if (count === 0) this.counts.delete(network);
    else this.counts.set(network, count);
  }
}
