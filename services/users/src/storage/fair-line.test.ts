/** Whose turn it is, and what is left behind by those who have gone. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FairLine, type Place } from "./fair-line.ts";

interface Item extends Place {
  readonly name: string;
}

function lineOf(...names: string[]): { line: FairLine<Item>; items: Item[] } {
  const line = new FairLine<Item>();
  const items = names.map((name): Item => {
    const [group = "", member = ""] = name.split(".");
    return { group, member, name };
  });
  for (const item of items) line.push(item, item);
  return { line, items };
}

function takeAll(line: FairLine<Item>): string[] {
  return line.clear().map(({ name }) => name);
}

describe("a fair line", () => {
  it("keeps the order of one requester", () => {
    assert.deepEqual(takeAll(lineOf("a.1", "a.1", "a.1").line), ["a.1", "a.1", "a.1"]);
    const { line, items } = lineOf("a.1.first", "a.1.second", "a.1.third");
    assert.deepEqual(line.clear(), items);
  });

  it("goes around between groups, however many items one of them has", () => {
    const { line } = lineOf("a.1", "a.1", "a.1", "a.1", "b.1", "c.1", "c.1");
    assert.deepEqual(takeAll(line), ["a.1", "b.1", "c.1", "a.1", "c.1", "a.1", "a.1"]);
  });

  it("goes around between the members of a group, which together have its turn", () => {
    const { line } = lineOf("a.1", "a.1", "a.2", "a.3", "b.1", "b.1");
    assert.deepEqual(takeAll(line), ["a.1", "b.1", "a.2", "b.1", "a.3", "a.1"]);
  });

  it("shows whose turn it is without taking it", () => {
    const { line, items } = lineOf("a.1", "b.1");
    assert.equal(line.peek(), items[0]);
    assert.equal(line.peek(), line.take());
    assert.equal(line.peek(), items[1]);
    assert.equal(line.size, 1);
    line.take();
    assert.deepEqual([line.peek(), line.take(), line.size], [undefined, undefined, 0]);
  });

  it("forgets what is removed, and removes it once", () => {
    const { line, items } = lineOf("a.1", "b.1", "a.1");
    const [first] = items as [Item];
    assert.ok(line.remove(first, first));
    assert.ok(!line.remove(first, first));
    assert.deepEqual([line.size, line.sizeOfGroup(first), line.sizeOfMember(first)], [2, 1, 1]);
    assert.deepEqual(line.clear(), [items[2], items[1]]);
  });

  it("counts what waits, and gives each group an item in each round, whatever comes and goes", () => {
    const step = fc.record({
      group: fc.constantFrom("a", "b", "c"),
      member: fc.constantFrom("1", "2"),
      kind: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const line = new FairLine<Item>();
        const waiting = new Set<Item>();
        /** Of groups that have waited without a break: how many items others got meanwhile. */
        const passedBy = new Map<string, number>();
        const has = (group: string): boolean => [...waiting].some((item) => item.group === group);
        for (const { group, member, kind } of steps) {
          if (kind < 2) {
            const item = { group, member, name: `${group}.${member}` };
            if (!has(group)) passedBy.set(group, 0);
            line.push(item, item);
            waiting.add(item);
          } else if (kind === 2) {
            const item = [...waiting].find((other) => other.group === group && other.member === member);
            if (item !== undefined) assert.ok(line.remove(item, item));
            if (item !== undefined) waiting.delete(item);
          } else {
            const taken = line.take();
            assert.equal(taken === undefined, waiting.size === 0);
            if (taken !== undefined) waiting.delete(taken);
            for (const [name, count] of passedBy) passedBy.set(name, name === taken?.group ? 0 : count + 1);
          }
          for (const name of ["a", "b", "c"]) if (!has(name)) passedBy.delete(name);
          for (const count of passedBy.values()) assert.ok(count <= 2, "at most one of each other group");
          assert.equal(line.size, waiting.size);
          assert.equal(line.sizeOfGroup({ group, member }), [...waiting].filter((item) => item.group === group).length);
        }
      }),
    );
  });
});
