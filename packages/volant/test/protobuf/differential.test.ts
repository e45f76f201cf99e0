/**
 * Our codecs against protobuf-es, over types with every kind of field. Longer runs: `npm run fuzz -- --target codec`.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { codecsOf, compareDecode, compareEncode } from "./oracle.ts";
import { Random } from "./random.ts";
import { mutate, randomBytes } from "./random-bytes.ts";
import { randomMessage } from "./random-message.ts";
import { TEST_SCHEMAS } from "./schemas.ts";

const RUNS = 150;
const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 });

for (const schema of TEST_SCHEMAS) {
  const codecs = codecsOf(schema);

  test(`${schema.typeName}: no bytes are the message of create(), its properties in their order`, () => {
    const empty = create(schema);
    for (const codec of codecs.all) {
      const decoded = codec.decode(new Uint8Array(0), 0, 0);
      assert.deepStrictEqual(decoded, empty);
      assert.deepEqual(Object.keys(decoded), Object.keys(empty));
    }
  });

  test(`${schema.typeName}: a message is encoded to the bytes of protobuf-es and decoded back to the same`, () => {
    fc.assert(
      fc.property(seed, (start) => {
        const bytes = compareEncode(codecs, randomMessage(schema, new Random(start)));
        assert.ok(compareDecode(codecs, bytes));
      }),
      { numRuns: RUNS },
    );
  });

  test(`${schema.typeName}: fields in any order, number and form are decoded as protobuf-es does`, () => {
    let accepted = 0;
    fc.assert(
      fc.property(seed, (start) => {
        if (compareDecode(codecs, Uint8Array.from(randomBytes(schema, new Random(start))))) accepted++;
      }),
      { numRuns: RUNS },
    );
    assert.ok(accepted > RUNS / 10, `only ${accepted} of ${RUNS} were messages: the generator is wrong`);
  });

  test(`${schema.typeName}: damaged bytes get the verdict of protobuf-es`, () => {
    fc.assert(
      fc.property(seed, (start) => {
        const random = new Random(start);
        const good = compareEncode(codecs, randomMessage(schema, random));
        for (let count = 0; count < 4; count++) compareDecode(codecs, mutate(good, random));
      }),
      { numRuns: RUNS },
    );
  });
}
