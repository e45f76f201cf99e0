/** A call as handlers see it, for unit tests without a server: the signal is real, everything else is absent. */

import type { ServerCall } from "volant";

export function handlerCall(signal: AbortSignal = new AbortController().signal): ServerCall {
  return { signal } as unknown as ServerCall;
}
