/** A call as handlers see it, for unit tests without a server: the signal is real, the peer has an address, everything else is absent. */

import type { ServerCall } from "volant";

export function handlerCall(signal: AbortSignal = new AbortController().signal): ServerCall {
  return { signal, peer: { address: "192.0.2.1:50312" } } as unknown as ServerCall;
}
