/**
 * Items that wait for their turn, which goes around: from group to group, and within a group from member to member. Owns the
 * order and the counts; knows neither what waits nor for what.
 *
 * Invariants: items of one member come out in the order they went in; a group or member that has nothing waiting takes up
 * no memory; whoever waits first gets an item out after at most one of each other group, whatever those have waiting.
 */
import type { Requester } from "./requester.ts";

/** Where an item waits. */
export type Place = Pick<Requester, "group" | "member">;

interface Group<T> {
  readonly members: Map<string, Set<T>>;
  size: number;
}

/** Two items are the same when they are identical, so that each may wait once. */
export class FairLine<T extends object> {
  readonly #groups = new Map<string, Group<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  sizeOfGroup({ group }: Place): number {
    return this.#groups.get(group)?.size ?? 0;
  }

  sizeOfMember({ group, member }: Place): number {
    return this.#groups.get(group)?.members.get(member)?.size ?? 0;
  }

  push(place: Place, item: T): void {
    const group = this.#groups.get(place.group) ?? { members: new Map<string, Set<T>>(), size: 0 };
    const items = group.members.get(place.member) ?? new Set<T>();
    items.add(item);
    group.members.set(place.member, items);
    group.size++;
    this.#groups.set(place.group, group);
    this.#size++;
  }

  /** The item whose turn it is; it keeps waiting. */
  peek(): T | undefined {
    for (const { members } of this.#groups.values()) {
      for (const items of members.values()) for (const item of items) return item;
    }
    return undefined;
  }

  /** The item whose turn it is; its member and its group go to the end of their rounds. */
  take(): T | undefined {
    for (const [groupName, group] of this.#groups) {
      for (const [memberName, items] of group.members) {
        for (const item of items) {
          items.delete(item);
          moveToEnd(group.members, memberName, items, items.size);
          group.size--;
          moveToEnd(this.#groups, groupName, group, group.size);
          this.#size--;
          return item;
        }
      }
    }
    return undefined;
  }

  /** False when the item does not wait there. */
  remove(place: Place, item: T): boolean {
    const group = this.#groups.get(place.group);
    const items = group?.members.get(place.member);
    if (group === undefined || items === undefined || !items.delete(item)) return false;
    if (items.size === 0) group.members.delete(place.member);
    if (--group.size === 0) this.#groups.delete(place.group);
    this.#size--;
    return true;
  }

  /** Everything that waits, which then waits no longer. */
  clear(): T[] {
    const items: T[] = [];
    for (let item = this.take(); item !== undefined; item = this.take()) items.push(item);
    return items;
  }
}

/** A map is iterated in the order of insertion. */
function moveToEnd<V>(map: Map<string, V>, key: string, value: V, left: number): void {
  map.delete(key);
  if (left > 0) map.set(key, value);
}
