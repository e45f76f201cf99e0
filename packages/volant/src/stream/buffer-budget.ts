/**
 * Memory that messages of one direction may hold, for the whole process, and who of its peers holds it. Owns the counts; whoever
 * acquires releases.
 *
 * What counts is what is held, never what was declared. One peer may hold as much as it leaves to all others: alone half of
 * everything, two a third each, and so on, so that some is always left. (Dynamic thresholds, as in the shared buffers of
 * switches.)
 */
import { ThreadLine } from "../compression/threads.ts";
import { processState } from "../rpc/process-state.ts";

/** 256 MiB: sixty-four messages of the default maximum at once, half of them of one peer. */
export const DEFAULT_MAX_BUFFERED_BYTES = 268_435_456;

export class BufferBudget {
  readonly maxBytes: number;
  private used = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  tryAcquire(bytes: number): boolean {
    if (this.used + bytes > this.maxBytes) return false;
    this.used += bytes;
    return true;
  }

  /** Also beyond the limit: for what is there already. */
  acquire(bytes: number): void {
    this.used += bytes;
  }

  release(bytes: number): void {
    this.used -= bytes;
  }

  get usedBytes(): number {
    return this.used;
  }
}

/** A budget for what peers make us hold. */
export class SharedBudget extends BufferBudget {
  /**
   * Window granted above what streams have, in whole messages: a promise of memory, and none that is held. It is bounded as
   * memory is, but for itself, so that whoever only declares takes nothing from those who send.
   */
  readonly promised: BufferBudget;
  private readonly shares = new Map<string, PeerShare>();

  constructor(maxBytes: number) {
    super(maxBytes);
    this.promised = new BufferBudget(maxBytes);
  }

  /** For one connection, until {@link PeerShare.leave}. Connections of one `peer` share. */
  join(peer: string): PeerShare {
    let share = this.shares.get(peer);
    if (share === undefined) {
      share = new PeerShare(this, peer);
      this.shares.set(peer, share);
    }
    share.join();
    return share;
  }

  /** What is decoded late may still acquire: then its share is no longer the one that new connections get. */
  forget(share: PeerShare): void {
    if (this.shares.get(share.peer) === share) this.shares.delete(share.peer);
  }

  /** Peers that are connected or hold something. */
  get peerCount(): number {
    return this.shares.size;
  }
}

/** What one peer has of what all share. */
export class PeerShare {
  readonly peer: string;
  /** Where its connections take turns for the threads that compress and inflate. */
  readonly threadLine: ThreadLine = new ThreadLine();
  private readonly budget: SharedBudget;
  private connections = 0;
  private held = 0;
  private promised = 0;

  constructor(budget: SharedBudget, peer: string) {
    this.budget = budget;
    this.peer = peer;
  }

  join(): void {
    this.connections++;
  }

  /** A connection is gone. What it still holds is released as ever. */
  leave(): void {
    this.connections--;
    this.forgetUnused();
  }

  /**
   * `bytes` more for a stream that holds `ownBytes`, which do not speak against it: whatever fits can arrive, however small
   * the budget, where a peer has nothing else under way.
   */
  tryAcquire(bytes: number, ownBytes: number): boolean {
    if (!leavesEnough(this.budget, this.held - ownBytes, bytes)) return false;
    this.held += bytes;
    return true;
  }

  /** Whether {@link tryAcquire} would. */
  hasRoom(bytes: number, ownBytes: number): boolean {
    return hasRoomFor(this.budget, this.held - ownBytes, bytes);
  }

  get isHalfUsed(): boolean {
    return 2 * this.held > this.budget.maxBytes - this.budget.usedBytes;
  }

  /** What there was room for when it was asked. */
  acquire(bytes: number): void {
    this.held += bytes;
    this.budget.acquire(bytes);
  }

  release(bytes: number): void {
    this.held -= bytes;
    this.budget.release(bytes);
    this.forgetUnused();
  }

  /** Window for `bytes` of a message, until {@link settlePromise}. */
  tryPromise(bytes: number): boolean {
    if (!leavesEnough(this.budget.promised, this.promised, bytes)) return false;
    this.promised += bytes;
    return true;
  }

  /** They have arrived, or nobody waits for them any more. */
  settlePromise(bytes: number): void {
    this.promised -= bytes;
    this.budget.promised.release(bytes);
    this.forgetUnused();
  }

  private forgetUnused(): void {
    if (this.connections === 0 && this.held === 0 && this.promised === 0) this.budget.forget(this);
  }
}

/** Acquires `bytes` if what is free afterwards is at least what their peer has besides. */
function leavesEnough(budget: BufferBudget, besides: number, bytes: number): boolean {
  return hasRoomFor(budget, besides, bytes) && budget.tryAcquire(bytes);
}

function hasRoomFor(budget: BufferBudget, besides: number, bytes: number): boolean {
  return besides <= budget.maxBytes - budget.usedBytes - bytes;
}

/** Shared by every server and channel of the process that names no limit of its own. */
export const processBudget: SharedBudget = processState(
  "bufferBudget",
  () => new SharedBudget(DEFAULT_MAX_BUFFERED_BYTES),
);
