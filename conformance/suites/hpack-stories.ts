/**
 * Recorded header lists ("stories") and the two directions of our HPACK over them. Owns the format of the story files and
 * the way a table size changes between blocks; knows no other implementation.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  DecodeResult,
  type HeaderField,
  HpackDecoder,
  HpackEncoder,
  type Indexing,
} from "../../packages/volant/src/http2/hpack/index.ts";

/** Names and values as octets, one a character. */
export type Fields = readonly (readonly [name: string, value: string])[];

export interface Block {
  readonly fields: Fields;
  /** Absent in stories of raw headers. */
  readonly wire: string | undefined;
  /** The table size in force from this block on. */
  readonly table: number | undefined;
}

export interface Story {
  /** Folder and number, such as "nghttp2/story_00". */
  readonly name: string;
  readonly blocks: readonly Block[];
}

interface StoryFile {
  readonly cases: readonly {
    readonly wire?: string;
    readonly header_table_size?: number;
    readonly headers: readonly Readonly<Record<string, string>>[];
  }[];
}

/** Larger than any table here, and no cap where the stories have long lists. */
const DECODER = { maxTableBytes: 4096, maxListBytes: 2 ** 24, maxFields: 10_000 };
const LARGEST_TABLE_BYTES = 65_536;

export function readStories(folder: string): Story[] {
  return globSync(join(folder, "*", "story_*.json"))
    .sort()
    .map(readStory);
}

function readStory(file: string): Story {
  const { cases } = JSON.parse(readFileSync(file, "utf8")) as StoryFile;
  const blocks = cases.map(({ wire, header_table_size: table, headers }) => ({
    fields: toFields(headers),
    wire,
    table,
  }));
  return { name: `${basename(dirname(file))}/${basename(file, ".json")}`, blocks };
}

/** Stories are JSON, hence text; on the wire their characters are UTF-8 octets. */
function toFields(headers: readonly Readonly<Record<string, string>>[]): Fields {
  const octets = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
  return headers.flatMap((header) =>
    Object.entries(header).map(([name, value]) => [octets(name), octets(value)] as const),
  );
}

/** Decodes blocks with one decoder and compares all of their fields. */
export function checkDecoding(story: Story, wires: readonly string[]): void {
  const decoder = new HpackDecoder(DECODER);
  let table = DECODER.maxTableBytes;
  const out: HeaderField[] = [];
  for (const [at, { fields, table: nextTable }] of story.blocks.entries()) {
    if (nextTable !== undefined && nextTable !== table) {
      table = nextTable;
      decoder.setMaxTableBytes(table);
    }
    const block = Buffer.from(wires[at] ?? "", "hex");
    const result = decoder.decode(block, 0, block.length, out);
    assert.equal(result, DecodeResult.OK, `block ${at}: ${decoder.lastError}`);
    assert.deepEqual(
      out.map(({ name, value }) => [name, value]),
      fields,
      `block ${at} has other fields`,
    );
  }
}

/** Our encoding of a story's blocks, in hex. */
export function encodeStory({ blocks }: Story, indexing: Indexing): string[] {
  const encoder = new HpackEncoder(LARGEST_TABLE_BYTES);
  return blocks.map(({ fields, table }) => {
    if (table !== undefined) encoder.setPeerTableBytes(table);
    const outbound = fields.map(([name, value]) => ({ name, value, indexing }));
    const target = Buffer.alloc(encoder.sizeBound(outbound));
    return target.toString("hex", 0, encoder.encode(outbound, target, 0));
  });
}

/** The same fields, with the table made smaller and larger again on the way. */
export function withTableChanges(story: Story): Story {
  const sizes = [4096, 0, 256, 8192, 4096];
  const blocks = story.blocks.map((block, at) => ({ ...block, table: at % 3 === 0 ? sizes[(at / 3) % 5] : undefined }));
  return { name: story.name, blocks };
}
