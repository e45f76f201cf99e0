/**
 * Recorded header lists ("stories") and what other encoders made of them: every story of every encoder decodes to its
 * headers, and our encoding of the same headers decodes to them as well.
 */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { DecodeResult, type HeaderField, HpackDecoder, HpackEncoder, Indexing } from "./index.ts";

interface StoryCase {
  readonly wire?: string;
  readonly header_table_size?: number;
  readonly headers: readonly Readonly<Record<string, string>>[];
}

type Pair = [name: string, value: string];

const STORIES = fileURLToPath(new URL("../../../../../../shared/data/hpack", import.meta.url));
const CAPS = { maxListBytes: 2 ** 24, maxFields: 10_000 };

function readStory(file: string): readonly StoryCase[] {
  return (JSON.parse(readFileSync(file, "utf8")) as { cases: readonly StoryCase[] }).cases;
}

/** Stories are JSON, hence text; on the wire their characters are UTF-8 octets. */
function headersOf({ headers }: StoryCase): Pair[] {
  const octets = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
  return headers.flatMap((header) =>
    Object.entries(header).map(([name, value]): Pair => [octets(name), octets(value)]),
  );
}

function decode(decoder: HpackDecoder, block: Buffer): Pair[] {
  const out: HeaderField[] = [];
  assert.equal(decoder.decode(block, 0, block.length, out), DecodeResult.OK, decoder.lastError);
  return out.map(({ name, value }) => [name, value]);
}

function decodeStory(cases: readonly StoryCase[]): void {
  const decoder = new HpackDecoder({ maxTableBytes: 4096, ...CAPS });
  let tableBytes = 4096;
  for (const each of cases) {
    if (each.header_table_size !== undefined && each.header_table_size !== tableBytes) {
      tableBytes = each.header_table_size;
      decoder.setMaxTableBytes(tableBytes);
    }
    assert.deepEqual(decode(decoder, Buffer.from(each.wire ?? "", "hex")), headersOf(each));
  }
}

function reencodeStory(cases: readonly StoryCase[]): void {
  const encoder = new HpackEncoder(4096);
  const decoder = new HpackDecoder({ maxTableBytes: 4096, ...CAPS });
  for (const each of cases) {
    const fields = headersOf(each).map(([name, value]) => ({ name, value, indexing: Indexing.INCREMENTAL }));
    const target = Buffer.alloc(encoder.sizeBound(fields));
    const block = target.subarray(0, encoder.encode(fields, target, 0));
    assert.deepEqual(decode(decoder, block), headersOf(each));
  }
}

const absent = existsSync(STORIES) ? false : `the HPACK stories are not at ${STORIES}`;

describe("HPACK stories", { skip: absent }, () => {
  const files = absent === false ? globSync(join(STORIES, "*", "story_*.json")).sort() : [];
  const encoders = Map.groupBy(files, (file) => basename(dirname(file)));
  it("there are stories of several encoders", () => assert.ok(encoders.size >= 2, `${encoders.size} directories`));

  for (const [encoder, stories] of encoders) {
    const hasWire = readStory(stories[0] ?? "")[0]?.wire !== undefined;
    if (hasWire) {
      it(`${stories.length} of ${encoder} are decoded`, () => {
        for (const file of stories) decodeStory(readStory(file));
      });
    }
    it(`${stories.length} of ${encoder} survive our encoder`, () => {
      for (const file of stories) reencodeStory(readStory(file));
    });
  }
});
