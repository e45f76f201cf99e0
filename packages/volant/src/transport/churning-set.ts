/**
 * A Set for members that come and go all the time. Buys: what has left is garbage.
 *
 * A native Set makes a new table every so often, and V8 links the old one to it with the members that it had: once one table
 * has survived into the old generation, all that follow are kept until the next full collection, and with them everything
 * that was a member when they were replaced. Connections of an attacker who reconnects without end were kept by the
 * thousand. Here the chain is cut: the Set itself is replaced as often as its size allows.
 */

/** Members that leave between two replacements, besides as many as there are. */
const MIN_DEPARTURES = 32;

export class ChurningSet<T> {
  private members = new Set<T>();
  private departuresLeft = MIN_DEPARTURES;

  get size(): number {
    return this.members.size;
  }

  /** The one that has been a member for longest. */
  get first(): T | undefined {
    for (const member of this.members) return member;
    return undefined;
  }

  /** Those of now, in the order in which they came. */
  values(): T[] {
    return [...this.members];
  }

  add(member: T): void {
    this.members.add(member);
  }

  /** False: it was no member. */
  delete(member: T): boolean {
    if (!this.members.delete(member)) return false;
    if (--this.departuresLeft === 0) {
      this.members = new Set(this.members);
      this.departuresLeft = MIN_DEPARTURES + this.members.size;
    }
    return true;
  }
}
