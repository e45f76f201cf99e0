/**
 * For whom the storage works when a handler asks it: turns go around between the addresses of clients, and between the
 * connections of an address. Owns the reading of a peer's address; knows no handler. The one place to change when callers
 * are known by their token: then a subject is the group, whatever it connects from.
 *
 * An IPv6 client usually owns a whole /64, so that is what counts as an address there.
 */

import type { Peer, ServerCall } from "volant";
import type { Requester } from "../storage/requester.ts";

/** A connection has one peer object, and as many calls as it likes. */
const networks = new WeakMap<Peer, string>();

export function requesterOf(call: ServerCall): Requester {
  return new RequesterOfCall(call);
}

/** The signal is made when somebody asks for it, as in the call. */
class RequesterOfCall implements Requester {
  readonly #call: ServerCall;

  constructor(call: ServerCall) {
    this.#call = call;
  }

  get group(): string {
    const { peer } = this.#call;
    let network = networks.get(peer);
    if (network === undefined) {
      network = networkOf(peer.address);
      networks.set(peer, network);
    }
    return network;
  }

  get member(): string {
    return this.#call.peer.address;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}

const GROUPS = 8;
const NETWORK_GROUPS = 4;

/** Of "127.0.0.1:50312" the part before the port, of "[2001:db8::1]:50312" the first 64 bits; anything else as it is. */
export function networkOf(address: string): string {
  const ipv6 = /^\[(.*)\]:\d+$/.exec(address)?.[1];
  if (ipv6 === undefined) return /^(.*):\d+$/.exec(address)?.[1] ?? address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ipv6)?.[1];
  return mapped ?? firstHalf(ipv6);
}

/** RFC 4291 §2.2: "::" stands for as many groups of zeros as are missing. */
function firstHalf(address: string): string {
  const [head = "", tail] = address.split("%", 1)[0]?.split("::") ?? [];
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = new Array<string>(Math.max(0, GROUPS - first.length - last.length)).fill("0");
  return [...first, ...zeros, ...last].slice(0, NETWORK_GROUPS).join(":");
}
