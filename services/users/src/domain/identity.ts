/**
 * Who a caller is. The one place that will read the token's subject and permissions; until calls are authenticated,
 * callers are who they say they are and may go everywhere.
 */

import type { ServerCall } from "volant";

export interface Caller {
  /** The sender of this caller's chat messages. `claimed` is the user_id of the stream's first message. */
  senderName(claimed: string): string;
  mayEnter(roomId: string): boolean;
}

export interface Identity {
  callerOf(call: ServerCall): Caller;
}

const unauthenticated: Caller = {
  senderName: (claimed) => (claimed === "" ? "anonymous" : claimed),
  mayEnter: () => true,
};

export const claimedIdentity: Identity = { callerOf: () => unauthenticated };
