/**
 * What messages may hold while they wait for their readers, for the whole process, and how much of it is one peer's. Owns the
 * refusal of a message for which there is no room. Without it a hundred calls of one connection with a window of zero and
 * answers of 4 MiB are 400 MB, as often as there are connections.
 *
 * Counted is memory of what was handed over and has not left: queued behind a window or for the socket, compressed, waiting
 * to be. What goes straight to the output is bounded there and costs nothing here. A writer that can wait does, with one message
 * (see `http2/send-path.ts`), so what remains is that message: made already, and held whole. Where it does not fit, its call ends
 * with RESOURCE_EXHAUSTED. Nothing that waits is ever dropped for another: what came first completes, what comes last is
 * refused, and since a reader that takes nothing is cut after a while, so is what it holds.
 *
 * It is no part of `maxBufferedBytes`: an answer is refused after its handler has acted, which is worse than a request that is
 * refused before. So uploads must not take the room of answers.
 */
import { processState } from "../rpc/process-state.ts";
import { createRpcError } from "../rpc/rpc-error.ts";
import { StatusCode } from "../rpc/status.ts";
import { type PeerShare, SharedBudget } from "./buffer-budget.ts";

/** 256 MiB: sixty-four messages of the default maximum at once, half of them of one peer. */
export const DEFAULT_MAX_UNSENT_BYTES = 268_435_456;

/** Shared by every server of the process that names no limit of its own. */
export const processUnsent: SharedBudget = processState(
  "unsentBudget",
  () => new SharedBudget(DEFAULT_MAX_UNSENT_BYTES),
);

/** Of one connection, until {@link leave}. */
export class UnsentShare {
  private readonly share: PeerShare;
  private readonly maxBytes: number;
  private readonly onRefused: () => void;

  constructor(budget: SharedBudget, peer: string, onRefused: () => void) {
    this.share = budget.join(peer);
    this.maxBytes = budget.maxBytes;
    this.onRefused = onRefused;
  }

  /** Throws where a message of `bytes`, of a stream that holds `ownBytes` already, must wait and there is no room for it. */
  require(bytes: number, ownBytes: number): void {
    if (this.share.hasRoom(bytes, ownBytes)) return;
    this.onRefused();
    const text =
      `a message of ${bytes} bytes would have to wait for its reader, and too much waits already: maxUnsentBytes is ` +
      `${this.maxBytes}, and one client has as much of it as it leaves to others. Read what was asked for, then ask again`;
    throw createRpcError("library", StatusCode.RESOURCE_EXHAUSTED, text);
  }

  /**
   * So much more is held, or less where it is negative. True where half of what this peer may have is in use: then writers
   * wait with one message each, so that many streams to a busy socket leave room for each other.
   */
  change(bytes: number): boolean {
    if (bytes < 0) this.share.release(-bytes);
    else this.share.acquire(bytes);
    return this.share.isHalfUsed;
  }

  /** The connection is gone. */
  leave(): void {
    this.share.leave();
  }
}
