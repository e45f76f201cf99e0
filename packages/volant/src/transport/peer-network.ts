/**
 * Whom a connection belongs to when something is shared out among peers: its address without the port. An IPv6 client
 * usually owns a whole /64, so that is what counts as one peer there; Unix sockets and memory are one peer each. Owns both
 * readings of an address; knows no socket.
 */

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

/**
 * Whom a {@link Peer.address} belongs to where something is shared out or counted: "127.0.0.1" of "127.0.0.1:50312", the first
 * 64 bits of an IPv6 address, anything else as it is. Turns and limits of this library go by it.
 */
export function networkOfPeer(address: string): string {
  const [, inBrackets, bare] = /^(?:\[(.+)\]|([\d.]+)):\d+$/.exec(address) ?? [];
  // A path may have any number of colons, and is no IPv6 address.
  return inBrackets === undefined ? (bare ?? address) : networkOf(inBrackets);
}
