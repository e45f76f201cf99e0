/** RFC 7541 Appendix C.2 to C.6: each block, its fields, and the table after it, newest entry first. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DecodeResult, type HeaderField, HpackDecoder, HpackEncoder, Indexing } from "./index.ts";

type Pair = readonly [name: string, value: string];

interface Block {
  readonly hex: string;
  readonly fields: readonly Pair[];
  readonly table: readonly Pair[];
  readonly bytes: number;
}

interface Example {
  readonly section: string;
  readonly maxTableBytes: number;
  /** The appendix spells strings this way throughout; our encoder always takes the shorter form. */
  readonly huffman: boolean;
  readonly blocks: readonly Block[];
}

const REQUEST_1: readonly Pair[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "www.example.com"],
];
const REQUEST_2: readonly Pair[] = [...REQUEST_1, ["cache-control", "no-cache"]];
const REQUEST_3: readonly Pair[] = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/index.html"],
  [":authority", "www.example.com"],
  ["custom-key", "custom-value"],
];

const AUTHORITY: Pair = [":authority", "www.example.com"];
const NO_CACHE: Pair = ["cache-control", "no-cache"];
const CUSTOM: Pair = ["custom-key", "custom-value"];
const PRIVATE: Pair = ["cache-control", "private"];
const DATE_21: Pair = ["date", "Mon, 21 Oct 2013 20:13:21 GMT"];
const DATE_22: Pair = ["date", "Mon, 21 Oct 2013 20:13:22 GMT"];
const LOCATION: Pair = ["location", "https://www.example.com"];
const GZIP: Pair = ["content-encoding", "gzip"];
const COOKIE: Pair = ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"];
const STATUS_302: Pair = [":status", "302"];
const STATUS_307: Pair = [":status", "307"];

function requests(hex: readonly [string, string, string]): readonly Block[] {
  return [
    { hex: hex[0], fields: REQUEST_1, table: [AUTHORITY], bytes: 57 },
    { hex: hex[1], fields: REQUEST_2, table: [NO_CACHE, AUTHORITY], bytes: 110 },
    { hex: hex[2], fields: REQUEST_3, table: [CUSTOM, NO_CACHE, AUTHORITY], bytes: 164 },
  ];
}

function responses(hex: readonly [string, string, string]): readonly Block[] {
  return [
    {
      hex: hex[0],
      fields: [STATUS_302, PRIVATE, DATE_21, LOCATION],
      table: [LOCATION, DATE_21, PRIVATE, STATUS_302],
      bytes: 222,
    },
    {
      hex: hex[1],
      fields: [STATUS_307, PRIVATE, DATE_21, LOCATION],
      table: [STATUS_307, LOCATION, DATE_21, PRIVATE],
      bytes: 222,
    },
    {
      hex: hex[2],
      fields: [[":status", "200"], PRIVATE, DATE_22, LOCATION, GZIP, COOKIE],
      table: [COOKIE, GZIP, DATE_22],
      bytes: 215,
    },
  ];
}

function single(section: string, hex: string, field: Pair, table: readonly Pair[], bytes: number): Example {
  return { section, maxTableBytes: 4096, huffman: false, blocks: [{ hex, fields: [field], table, bytes }] };
}

const EXAMPLES: readonly Example[] = [
  single(
    "C.2.1 literal with indexing",
    "400a637573746f6d2d6b65790d637573746f6d2d686561646572",
    ["custom-key", "custom-header"],
    [["custom-key", "custom-header"]],
    55,
  ),
  single("C.2.2 literal without indexing", "040c2f73616d706c652f70617468", [":path", "/sample/path"], [], 0),
  single("C.2.3 literal never indexed", "100870617373776f726406736563726574", ["password", "secret"], [], 0),
  single("C.2.4 indexed", "82", [":method", "GET"], [], 0),
  {
    section: "C.3 requests without Huffman",
    maxTableBytes: 4096,
    huffman: false,
    blocks: requests([
      "828684410f7777772e6578616d706c652e636f6d",
      "828684be58086e6f2d6361636865",
      "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ]),
  },
  {
    section: "C.4 requests with Huffman",
    maxTableBytes: 4096,
    huffman: true,
    blocks: requests([
      "828684418cf1e3c2e5f23a6ba0ab90f4ff",
      "828684be5886a8eb10649cbf",
      "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    ]),
  },
  {
    section: "C.5 responses without Huffman, with evictions",
    maxTableBytes: 256,
    huffman: false,
    blocks: responses([
      "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a" +
        "2f2f7777772e6578616d706c652e636f6d",
      "4803333037c1c0bf",
      "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b4851" +
        "4b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
    ]),
  },
  {
    section: "C.6 responses with Huffman, with evictions",
    maxTableBytes: 256,
    huffman: true,
    blocks: responses([
      "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
      "4883640effc1c0bf",
      "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27" +
        "087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    ]),
  },
];

function pairs(fields: readonly HeaderField[]): Pair[] {
  return fields.map(({ name, value }) => [name, value]);
}

describe("RFC 7541 Appendix C, decoding", () => {
  for (const { section, maxTableBytes, blocks } of EXAMPLES) {
    it(section, () => {
      const decoder = new HpackDecoder({ maxTableBytes, maxListBytes: 4096, maxFields: 16 });
      const out: HeaderField[] = [];
      for (const { hex, fields, table, bytes } of blocks) {
        const block = Buffer.from(hex, "hex");
        assert.equal(decoder.decode(block, 0, block.length, out), DecodeResult.OK, decoder.lastError);
        assert.deepEqual(pairs(out), fields);
        const held = Array.from({ length: decoder.table.length }, (_, age) => decoder.table.get(age) as HeaderField);
        assert.deepEqual(pairs(held), table);
        assert.equal(decoder.table.bytes, bytes);
      }
    });
  }

  it("C.2.3 only the never-indexed literal is sensitive", () => {
    const decoder = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 4096, maxFields: 16 });
    const out: HeaderField[] = [];
    for (const [at, isSensitive] of [false, false, true, false].entries()) {
      const block = Buffer.from(EXAMPLES[at]?.blocks[0]?.hex ?? "", "hex");
      decoder.decode(block, 0, block.length, out);
      assert.deepEqual(
        out.map((field) => field.sensitive),
        [isSensitive],
      );
    }
  });
});

describe("RFC 7541 Appendix C, encoding", () => {
  for (const { section, maxTableBytes, huffman, blocks } of EXAMPLES) {
    if (!huffman) continue;
    it(section, () => {
      const encoder = new HpackEncoder(maxTableBytes);
      const target = Buffer.alloc(1024);
      for (const [at, { hex, fields, table, bytes }] of blocks.entries()) {
        const outbound = fields.map(([name, value]) => ({ name, value, indexing: Indexing.INCREMENTAL }));
        const encoded = target.toString("hex", 0, encoder.encode(outbound, target, 0));
        const update = at === 0 && maxTableBytes === 256 ? "3fe101" : "";
        // C.6.2 packs "307" although that saves nothing; we send it plain.
        const expected = hex === "4883640effc1c0bf" ? "4803333037c1c0bf" : hex;
        assert.equal(encoded, update + expected);
        const held = Array.from({ length: encoder.table.length }, (_, age) => encoder.table.get(age));
        assert.deepEqual(
          held.map((entry) => [entry?.name, entry?.value]),
          table,
        );
        assert.equal(encoder.table.bytes, bytes);
      }
    });
  }
});
