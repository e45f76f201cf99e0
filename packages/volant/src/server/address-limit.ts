/**
 * Connections of one client address: without a limit a single machine takes every place there is. Owns the counts; a place
 * is taken at accept, before any TLS handshake, and free when the socket is closed.
 *
 * An IPv6 client usually owns a whole /64, so that is what counts as an address there. Unix sockets have none.
 */
import type { Socket } from "node:net";

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

const GROUPS = 8;
const NETWORK_GROUPS = 4;

/** An IPv4 address, also one that came over IPv6; the first 64 bits of any other. RFC 4291 §2.2, §2.5.5.2. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("%", 1)[0]!.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = new Array<string>(GROUPS - first.length - last.length).fill("0");
  return [...first, ...zeros, ...last].slice(0, NETWORK_GROUPS).join(":");
}
