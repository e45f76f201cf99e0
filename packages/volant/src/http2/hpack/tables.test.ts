import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DynamicTable } from "./dynamic-table.ts";
import { HeaderField } from "./field.ts";
import { FIRST_DYNAMIC_INDEX, STATIC_FIELDS, STATIC_NAMES } from "./static-table.ts";

describe("the static table", () => {
  it("Appendix A: 61 entries, in their places", () => {
    assert.equal(FIRST_DYNAMIC_INDEX, 62);
    assert.equal(STATIC_FIELDS.length, 62);
    assert.equal(STATIC_FIELDS[0], undefined);
    const places = { 1: ":authority", 14: ":status", 31: "content-type", 58: "user-agent", 61: "www-authenticate" };
    for (const [index, name] of Object.entries(places)) assert.equal(STATIC_FIELDS[Number(index)]?.name, name);
    assert.equal(STATIC_FIELDS[16]?.value, "gzip, deflate");
  });

  it("every entry is found by name and value, and a name by its lowest index", () => {
    STATIC_FIELDS.forEach((field, index) => {
      if (field === undefined) return;
      const known = STATIC_NAMES.get(field.name);
      assert.equal(known?.values.get(field.value), index);
      assert.equal(STATIC_FIELDS[known?.index ?? 0]?.name, field.name);
      assert.ok((known?.index ?? 99) <= index);
    });
  });
});

/** The table as the RFC tells it: a list, newest first. */
class ListTable {
  entries: HeaderField[] = [];
  maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.entries.reduce((sum, entry) => sum + entry.size, 0);
  }

  resize(maxBytes: number): void {
    this.maxBytes = maxBytes;
    while (this.bytes > maxBytes) this.entries.pop();
  }

  insert(entry: HeaderField): void {
    this.entries.unshift(entry);
    while (this.bytes > this.maxBytes) this.entries.pop();
  }
}

describe("the dynamic table", () => {
  it("§2.3.3 the newest entry is the first", () => {
    const table = new DynamicTable<HeaderField>(4096);
    for (const value of ["1", "2", "3"]) table.insert(HeaderField.of("a", value));
    assert.deepEqual(
      [0, 1, 2, 3].map((age) => table.get(age)?.value),
      ["3", "2", "1", undefined],
    );
  });

  it("§4.4 an entry larger than the table empties it", () => {
    const table = new DynamicTable<HeaderField>(40);
    table.insert(HeaderField.of("a", "1"));
    assert.equal(table.length, 1);
    table.insert(HeaderField.of("a", "12345678"));
    assert.deepEqual([table.length, table.bytes], [0, 0]);
  });

  it("§4 any insertions and resizes leave what the RFC's list would hold", () => {
    const operation = fc.oneof(
      { weight: 8, arbitrary: fc.record({ name: fc.string({ maxLength: 20 }), value: fc.string({ maxLength: 60 }) }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 4096 }) },
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const table = new DynamicTable<HeaderField>(1024);
        const list = new ListTable(1024);
        for (const step of operations) {
          for (const each of [table, list]) {
            if (typeof step === "number") each.resize(step);
            else each.insert(HeaderField.of(step.name, step.value));
          }
          assert.equal(table.bytes, list.bytes);
          assert.ok(table.bytes <= table.maxBytes);
          const held = Array.from({ length: table.length }, (_, age) => table.get(age));
          assert.deepEqual(held, list.entries);
          assert.equal(table.get(table.length), undefined);
        }
      }),
    );
  });
});
