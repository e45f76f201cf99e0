/**
 * What all chat streams may hold together, and who of the callers holds it: messages that wait, and places in rooms. Owns the
 * counts; knows no message. Without it a client with many streams that it never reads, each in a room of its own, holds the
 * bound of one queue as often as it has streams.
 *
 * A group may hold as much as it leaves free to others, and a member as much as its group then leaves to its other members:
 * alone a third of everything. So no one can take all of it, and whoever reads finds room. (As in `turn-queue.ts`.)
 *
 * Invariant: who holds nothing takes up no memory.
 */
import type { Requester } from "../../storage/requester.ts";

/** Whose stream it is. */
export type Holder = Pick<Requester, "group" | "member">;

interface Group {
  readonly members: Map<string, number>;
  bytes: number;
}

export class QueueBudget {
  readonly maxBytes: number;
  readonly #groups = new Map<string, Group>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** What all streams hold. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False, and nothing is taken, where the holder would have more than its share. Whoever takes gives back. */
  take({ group, member }: Holder, bytes: number): boolean {
    const held = this.#groups.get(group) ?? { members: new Map<string, number>(), bytes: 0 };
    const ofMember = (held.members.get(member) ?? 0) + bytes;
    const ofGroup = held.bytes + bytes;
    const left = this.maxBytes - this.#bytes - bytes;
    if (ofGroup > left || ofMember > left - held.bytes) return false;
    held.members.set(member, ofMember);
    held.bytes = ofGroup;
    this.#groups.set(group, held);
    this.#bytes += bytes;
    return true;
  }

  give({ group, member }: Holder, bytes: number): void {
    const held = this.#groups.get(group);
    if (held === undefined || bytes === 0) return;
    const ofMember = (held.members.get(member) ?? 0) - bytes;
    if (ofMember > 0) held.members.set(member, ofMember);
    else held.members.delete(member);
    held.bytes -= bytes;
    if (held.bytes === 0) this.#groups.delete(group);
    this.#bytes -= bytes;
  }

  /** Who holds something. */
  get holders(): number {
    let count = 0;
    for (const { members } of this.#groups.values()) count += members.size;
    return count;
  }
}
