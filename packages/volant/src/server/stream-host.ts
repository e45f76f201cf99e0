/** Between a stream of calls and its connection. Owns no behaviour. */
import type { Peer } from "../rpc/peer.ts";
import type { PeerLimits } from "../stream/inbound-limits.ts";
import type { UnsentShare } from "../stream/unsent-share.ts";
import type { Http2Connection } from "../transport/http2.ts";
import type { StatusLoss } from "./fitted-status.ts";
import type { IncomingCall } from "./incoming-call.ts";
import type { OrphanShare } from "./orphan-share.ts";
import type { RequestInput } from "./request-ends.ts";
import type { RunningHandlers } from "./running-handlers.ts";

/** What a stream needs of its connection. */
export interface StreamHost extends RequestInput {
  readonly http2: Http2Connection;
  readonly peer: Peer;
  readonly limits: PeerLimits;
  readonly unsent: UnsentShare;
  readonly running: RunningHandlers;
  readonly orphanShare: OrphanShare;
  /** See `ServerOptions.cancelGraceMs`. */
  readonly cancelGraceMs: number;
  /** See `ServerStats.faults`. */
  countFault(cause: string): void;
  /** A status did not fit the client's header lists: counted, and reported where it is not the client that takes next to nothing. */
  reportLoss(loss: StatusLoss, call: IncomingCall): void;
  /** Reports an error that no client will see. Never throws. */
  reportError(error: unknown, call: IncomingCall): void;
}
