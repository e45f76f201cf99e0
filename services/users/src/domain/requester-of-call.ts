/**
 * For whom the storage works when a handler asks it: turns go around between the addresses of clients, and between the
 * connections of an address. Knows no handler. The one place to change when callers are known by their token: then a subject
 * is the group, whatever it connects from.
 */

import { networkOfPeer, type Peer, type ServerCall } from "volant";
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
      network = networkOfPeer(peer.address);
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
