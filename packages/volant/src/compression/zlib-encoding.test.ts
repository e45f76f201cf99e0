/** gRPC compression.md: what a message becomes and comes back from, and what inflating may cost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as zlib from "node:zlib";
import fc from "fast-check";
import type { InflateFault, MessageEncoding } from "../grpc/message-encoding.ts";
import { ENCODINGS, requireEncoding } from "./encodings.ts";
import { ZlibEncoding } from "./zlib-encoding.ts";

const TEXT = Buffer.from("the same words again and again, ".repeat(200));

type Inflate = (encoding: MessageEncoding, bytes: Uint8Array, maxBytes: number) => Promise<Buffer | InflateFault>;

/** Both ways must agree on everything. */
const WAYS: Readonly<Record<string, Inflate>> = {
  "on the loop": async (encoding, bytes, maxBytes) => encoding.inflate(bytes, maxBytes),
  "off the loop": (encoding, bytes, maxBytes) =>
    new Promise((resolve) => encoding.inflateOffLoop(bytes, maxBytes, resolve)),
};

async function faultOf(inflating: Promise<Buffer | InflateFault>): Promise<InflateFault> {
  const result = await inflating;
  assert.ok(!Buffer.isBuffer(result), "it was inflated");
  return result;
}

test("gzip, deflate and, where Node has it, zstd are there, in this order", () => {
  const expected = typeof zlib.zstdCompress === "function" ? ["gzip", "deflate", "zstd"] : ["gzip", "deflate"];
  assert.deepEqual([...ENCODINGS.keys()], expected);
  assert.equal(requireEncoding("x", "identity"), undefined);
  assert.throws(() => requireEncoding("compression.send", "br"), {
    name: "TypeError",
    message: /^compression\.send: "br" given, this Node has identity, gzip, deflate/,
  });
});

test("the formats are those of RFC 1952, RFC 1950 and RFC 8878: others can read them", () => {
  assert.deepEqual(zlib.gunzipSync(ENCODINGS.get("gzip")!.compress(TEXT)!), TEXT);
  assert.deepEqual(zlib.inflateSync(ENCODINGS.get("deflate")!.compress(TEXT)!), TEXT);
  const zstd = ENCODINGS.get("zstd");
  if (zstd !== undefined) assert.deepEqual(zlib.zstdDecompressSync(zstd.compress(TEXT)!), TEXT);
});

for (const encoding of ENCODINGS.values()) {
  const compressed = encoding.compress(TEXT)!;

  test(`${encoding.name}: any message comes back as it was`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5_000 }), (bytes) => {
        const back = encoding.inflate(encoding.compress(bytes)!, bytes.length);
        assert.ok(Buffer.isBuffer(back));
        assert.deepEqual(new Uint8Array(back), bytes);
      }),
    );
  });

  test(`${encoding.name}: what is compressed off the loop comes back as it was`, async () => {
    const there = await new Promise<Buffer | undefined>((resolve) => encoding.compressOffLoop(TEXT, resolve));
    assert.deepEqual(encoding.inflate(there!, TEXT.length), TEXT);
  });

  for (const [way, inflate] of Object.entries(WAYS)) {
    test(`${encoding.name} ${way}: exactly the limit is inflated, an octet more is too large`, async () => {
      assert.deepEqual(await inflate(encoding, compressed, TEXT.length), TEXT);
      const fault = await faultOf(inflate(encoding, compressed, TEXT.length - 1));
      assert.equal(fault.isTooLarge, true);
      assert.match(fault.text, /more than the 6399 bytes/);
      const empty = encoding.compress(Buffer.alloc(0))!;
      assert.equal(((await inflate(encoding, empty, 0)) as Buffer).length, 0);
      assert.equal((await faultOf(inflate(encoding, encoding.compress(Buffer.of(1))!, 0))).isTooLarge, true);
    });

    test(`${encoding.name} ${way}: truncated, corrupt and empty messages, and octets behind one, are malformed`, async () => {
      const corrupt = Buffer.from(compressed);
      for (let at = 8; at < 16; at++) corrupt[at]! ^= 0x5a;
      const cases: Readonly<Record<string, Buffer>> = {
        truncated: compressed.subarray(0, compressed.length - 3),
        corrupt,
        empty: Buffer.alloc(0),
        "garbage behind": Buffer.concat([compressed, Buffer.from("garbage")]),
        "zeros behind": Buffer.concat([compressed, Buffer.alloc(4)]),
        "not compressed": TEXT,
      };
      for (const [what, bytes] of Object.entries(cases)) {
        const fault = await faultOf(inflate(encoding, bytes, 100_000));
        assert.equal(fault.isTooLarge, false, what);
        assert.notEqual(fault.text, "", what);
      }
    });

    test(`${encoding.name} ${way}: a bomb of 64 MiB is stopped at the limit`, async () => {
      const bomb = encoding.compress(Buffer.alloc(64 * 1024 * 1024))!;
      assert.ok(bomb.length < 100_000, `${bomb.length} octets`);
      const before = process.memoryUsage().arrayBuffers;
      const fault = await faultOf(inflate(encoding, bomb, 1_000_000));
      assert.equal(fault.isTooLarge, true);
      const grown = process.memoryUsage().arrayBuffers - before;
      assert.ok(grown < 16 * 1024 * 1024, `${grown} octets were inflated`);
    });
  }
}

for (const [way, inflate] of Object.entries(WAYS)) {
  test(`without a limit everything is inflated, ${way}`, async () => {
    for (const encoding of ENCODINGS.values()) {
      const compressed = encoding.compress(TEXT)!;
      for (const limit of [Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER, TEXT.length + 0.5]) {
        assert.deepEqual(await inflate(encoding, compressed, limit), TEXT, `${encoding.name} ${limit}`);
      }
    }
  });
}

test("CVE-2024-37168 inflating asks zlib for no more output than the limit and a chunk", () => {
  const asked: (number | undefined)[] = [];
  const encoding = new ZlibEncoding("gzip", {
    compress: zlib.gzipSync,
    compressOffLoop: zlib.gzip,
    inflate: (bytes, options) => {
      asked.push(options.maxOutputLength, options.chunkSize);
      return zlib.gunzipSync(bytes, options);
    },
    inflateOffLoop: zlib.gunzip,
  });
  encoding.inflate(zlib.gzipSync(Buffer.alloc(1_000)), 1_234);
  assert.deepEqual(asked, [1_234, 1_024]);
});

test("RFC 8878 §3.1.1.1.2 a zstd frame that asks for a window of 128 MiB is refused before it is reserved", async (t) => {
  const zstd = ENCODINGS.get("zstd");
  if (zstd === undefined) return t.skip("this Node has no zstd");
  // Magic number; no content size, no single segment; window descriptor 2^27; one empty raw block, the last.
  const frame = Buffer.from("28b52ffd0088010000", "hex");
  assert.equal(zlib.zstdDecompressSync(frame).length, 0, "the frame is legal");
  for (const inflate of Object.values(WAYS)) {
    assert.equal((await faultOf(inflate(zstd, frame, 4 * 1024 * 1024))).isTooLarge, true);
  }
});

test("zlib that cannot compress leaves the message as it is", async () => {
  const broken = new ZlibEncoding("gzip", {
    compress: () => {
      throw new Error("out of memory");
    },
    compressOffLoop: (_bytes, _options, onResult) => onResult(new Error("out of memory"), Buffer.alloc(0)),
    inflate: zlib.gunzipSync,
    inflateOffLoop: zlib.gunzip,
  });
  assert.equal(broken.compress(TEXT), undefined);
  assert.equal(await new Promise((resolve) => broken.compressOffLoop(TEXT, resolve)), undefined);
});
