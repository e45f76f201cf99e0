/** What stands on the wire when messages are compressed, and what is refused: gRPC compression.md, PROTOCOL-HTTP2. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { resolveCompressionOptions } from "../../src/compression/options.ts";
import { StatusCode } from "../../src/index.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { type UseServerOptions, useServer } from "../../src/testing/index.ts";
import { messageBytes } from "../client/support/echo-service.ts";
import { failure, withPeer } from "../client/support/harness.ts";
import { Lab, NoteSchema } from "../gen/lab_pb.ts";
import { failureOf, withHandlers } from "../server/support/lab-service.ts";
import { call, prefixed, RawPeer } from "../server/support/raw-peer.ts";

const LONG = "z".repeat(5_000);
const ALL = resolveCompressionOptions().acceptEncoding;
const note = (text: string) => toBinary(NoteSchema, create(NoteSchema, { text }));

type Fields = readonly (readonly [string, string])[];

/** What a raw client gets for one unary call. */
async function answer(
  t: TestContext,
  fields: Fields,
  body: Buffer,
  options: UseServerOptions["server"] = {},
  handler = {},
) {
  const lab = await useServer(t, withHandlers({ unary: ({ text }) => ({ text }), ...handler }), { server: options });
  const peer = await RawPeer.ready(lab);
  peer.send(call(1, "Unary", fields), frames.data(1, body).endStream());
  const lines = (await peer.answer(1)).join("\n");
  const bytes = peer.bodies.get(1) ?? Buffer.alloc(0);
  return { lines, flag: bytes[0], length: bytes.length, body: bytes.subarray(5) };
}

const GZIP: Fields = [["grpc-encoding", "gzip"]];

test("a compressed request is taken; the answer says what is accepted and is not compressed unasked", async (t) => {
  const { lines, flag, length } = await answer(t, GZIP, prefixed(gzipSync(note(LONG)), 1));
  assert.match(lines, /grpc-status=0/);
  assert.ok(lines.includes(`grpc-accept-encoding=${ALL}`), lines);
  assert.doesNotMatch(lines, /grpc-encoding=/);
  assert.deepEqual([flag, length > 5_000], [0, true]);
});

test("gRPC detail 14: a call that names an encoding may send messages as they are", async (t) => {
  assert.match((await answer(t, GZIP, prefixed(note(LONG)))).lines, /grpc-status=0/);
});

test("grpc-encoding: identity is as none", async (t) => {
  const { lines } = await answer(t, [["grpc-encoding", "identity"]], prefixed(note("a")));
  assert.match(lines, /grpc-status=0/);
  assert.doesNotMatch(lines, /grpc-accept-encoding/);
});

test("deflate is the zlib format", async (t) => {
  assert.match(
    (await answer(t, [["grpc-encoding", "deflate"]], prefixed(deflateSync(note("a")), 1))).lines,
    /grpc-status=0/,
  );
});

const REFUSED: Readonly<Record<string, readonly [Fields, Buffer, RegExp]>> = {
  "gRPC detail 12: the compressed flag without grpc-encoding": [
    [],
    prefixed(gzipSync(note("a")), 1),
    /grpc-status=13 .*names no grpc-encoding/,
  ],
  "gRPC detail 12: the compressed flag with identity": [
    [["grpc-encoding", "identity"]],
    prefixed(gzipSync(note("a")), 1),
    /grpc-status=13 .*names no grpc-encoding/,
  ],
  "gRPC detail 12: a flag above 1": [GZIP, prefixed(gzipSync(note("a")), 2), /grpc-status=13 .*illegal flag 2/],
  "gRPC detail 13: an encoding that is not known": [
    [["grpc-encoding", "x-snappy"]],
    prefixed(note("a"), 1),
    new RegExp(`grpc-accept-encoding=${ALL} grpc-status=12 .*"x-snappy"`),
  ],
  "a message that is not compressed although flagged": [
    GZIP,
    prefixed(note("a"), 1),
    /grpc-status=13 .*cannot be accepted/,
  ],
  "a truncated message": [GZIP, prefixed(gzipSync(note(LONG)).subarray(0, -6), 1), /grpc-status=13/],
  "octets behind a compressed message": [
    GZIP,
    prefixed(Buffer.concat([gzipSync(note("a")), Buffer.alloc(3)]), 1),
    /grpc-status=13 .*3 octets follow/,
  ],
  "a compressed message that is no protobuf": [
    GZIP,
    prefixed(gzipSync(Buffer.of(0xff)), 1),
    /grpc-status=13 .*cannot be decoded/,
  ],
};

for (const [what, [fields, body, lines]] of Object.entries(REFUSED)) {
  test(`${what} is refused`, async (t) => assert.match((await answer(t, fields, body)).lines, lines));
}

test("gRPC detail 13: an encoding that the server's options leave out is refused, and not offered", async (t) => {
  const options = { compression: { accept: ["deflate"] } } as const;
  const { lines } = await answer(t, GZIP, prefixed(gzipSync(note("a")), 1), options);
  assert.match(lines, /grpc-accept-encoding=identity,deflate grpc-status=12 /);
});

test("gRPC detail 16: CVE-2024-37168, ten KiB that inflate to ten MiB are refused by what they inflate to", async (t) => {
  const bomb = gzipSync(Buffer.alloc(10 * 1024 * 1024));
  assert.ok(bomb.length < 11_000);
  const { lines } = await answer(t, GZIP, prefixed(bomb, 1));
  assert.match(lines, /grpc-status=8 .*inflates to more than the 4194304 bytes/);
});

const SENDS = { compression: { send: "gzip" } } as const;

const ACCEPTING: readonly Fields[] = [
  [["grpc-accept-encoding", "gzip"]],
  [["grpc-accept-encoding", "identity, deflate , gzip"]],
  [
    ["grpc-accept-encoding", "identity"],
    ["grpc-accept-encoding", "deflate,gzip"],
  ],
];

for (const [at, fields] of ACCEPTING.entries()) {
  test(`gRPC detail 15: the server compresses for clients that accept it, however they say so (${at})`, async (t) => {
    const { lines, flag, length } = await answer(t, fields, prefixed(note(LONG)), SENDS);
    assert.match(lines, /grpc-encoding=gzip/);
    assert.deepEqual([flag, length < 200], [1, true]);
  });
}

for (const fields of [[], [["grpc-accept-encoding", "identity,deflate,xgzip"]]] as readonly Fields[]) {
  test(`gRPC detail 15: the server does not compress for a client that says ${fields[0]?.[1] ?? "nothing"}`, async (t) => {
    const { lines, flag, length } = await answer(t, fields, prefixed(note(LONG)), SENDS);
    assert.doesNotMatch(lines, /grpc-encoding/);
    assert.deepEqual([flag, length > 5_000], [0, true]);
  });
}

const ACCEPTS_GZIP: Fields = [["grpc-accept-encoding", "gzip"]];

for (const [minBytes, text, flag] of [
  [undefined, "z".repeat(900), 0],
  [5_003, LONG, 1],
  [5_004, LONG, 0],
  [0, "", 0],
] as const) {
  test(`a message of ${text.length} letters with minBytes ${minBytes} has the flag ${flag}`, async (t) => {
    const compression = { send: "gzip", ...(minBytes === undefined ? {} : { minBytes }) } as const;
    const got = await answer(t, ACCEPTS_GZIP, prefixed(note(text)), { compression });
    assert.match(got.lines, /grpc-encoding=gzip/);
    assert.equal(got.flag, flag);
  });
}

for (const offLoopBytes of [0, 10_000]) {
  test(`a message that would not shrink goes as it is, offLoopBytes ${offLoopBytes}`, async (t) => {
    const random = { unary: () => ({ body: randomBytes(3_000) }) };
    const options = { compression: { send: "gzip", offLoopBytes } } as const;
    const grown = await answer(t, ACCEPTS_GZIP, prefixed(note("")), options, random);
    assert.match(grown.lines, /grpc-encoding=gzip/);
    assert.deepEqual([grown.flag, grown.length], [0, 3_008]);
  });
}

test("a handler chooses for its call, before its headers", async (t) => {
  const seen: string[] = [];
  const lab = await useServer(
    t,
    withHandlers({
      unary: ({ text }, call) => {
        seen.push(call.compression);
        call.compression = text.startsWith("i") ? "identity" : "deflate";
        if (text.startsWith("h")) call.headers.set("x-own", "a");
        seen.push(call.compression);
        return { text: LONG };
      },
      *download(_request, call) {
        yield { text: "a" };
        assert.throws(() => {
          call.compression = "gzip";
        }, /headers of this call are sent/);
        assert.throws(() => {
          call.compression = "br" as "gzip";
        }, /"br" given, this Node has identity, gzip/);
        yield { text: "b" };
      },
    }),
    { server: SENDS },
  );
  const peer = await RawPeer.ready(lab);
  const accepts: Fields = [["grpc-accept-encoding", "gzip,deflate"]];
  for (const [id, text, encoding] of [
    [1, "i", undefined],
    [3, "d", "deflate"],
    [5, "h", "deflate"],
  ] as const) {
    peer.send(call(id, "Unary", accepts), frames.data(id, prefixed(note(text))).endStream());
    const lines = (await peer.answer(id)).join("\n");
    assert.equal(/grpc-encoding=(\w+)/.exec(lines)?.[1], encoding);
    assert.equal(lines.includes("x-own=a"), text === "h");
    assert.equal(peer.bodies.get(id)![0], encoding === undefined ? 0 : 1);
  }
  assert.deepEqual(seen, ["gzip", "identity", "gzip", "deflate", "gzip", "deflate"]);
  peer.send(call(7, "Download"), frames.data(7, prefixed(note(""))).endStream());
  assert.match((await peer.answer(7)).join("\n"), /grpc-status=0/);
});

test("the client says what it accepts and how it sends; an option of the call overrules the channel's", async (t) => {
  const { peer, client } = await withPeer(t, { compression: { send: "gzip", accept: ["deflate"] } });
  const calls = [
    client.unary({ value: LONG }),
    client.unary({ value: LONG }, { compression: "identity" }),
    client.unary({ value: LONG }, { compression: "deflate" }),
    client.unary({ value: "short" }, { compression: "deflate" }),
  ];
  const connection = await peer.accept();
  await connection.handshake();
  for (const [id, encoding, flag] of [
    [1, "gzip", 1],
    [3, undefined, 0],
    [5, "deflate", 1],
    [7, "deflate", 0],
  ] as const) {
    const { text } = await connection.sees(new RegExp(`^HEADERS ${id}`));
    assert.match(text, /grpc-accept-encoding=identity,deflate/);
    assert.equal(/grpc-encoding=(\w+)/.exec(text)?.[1], encoding);
    assert.equal((await connection.sees(new RegExp(`^DATA ${id}`))).payload[0], flag);
    connection.answer(id, "pong");
  }
  for (const each of calls) assert.equal((await each).value, "pong");
  await assert.rejects(client.unary({ value: "" }, { compression: "br" as "gzip" }), /compression: "br" given/);
});

/** Response messages as a peer sends them, flagged. */
const flagged = (body: Buffer): Buffer => prefixed(body, 1);

test("gRPC detail 12, 13: a response in an encoding that the client does not have is INTERNAL, and its status is not hidden", async (t) => {
  const cases: readonly (readonly [Fields, Buffer, RegExp])[] = [
    [[["grpc-encoding", "br"]], flagged(Buffer.of(1, 2)), /compressed as "br"; accepted are identity,gzip/],
    [[], flagged(gzipSync(messageBytes("a").subarray(5))), /names no grpc-encoding/],
    [[["grpc-encoding", "identity"]], flagged(gzipSync(Buffer.alloc(0))), /names no grpc-encoding/],
    [[["grpc-encoding", "gzip"]], flagged(Buffer.from("no gzip")), /cannot be accepted: incorrect header check/],
    [[["grpc-encoding", "gzip"]], prefixed(Buffer.of(1), 3), /illegal flag 3/],
  ];
  for (const [fields, body, message] of cases) {
    const { peer, client } = await withPeer(t);
    const unary = client.unary({ value: "ping" });
    unary.catch(() => undefined);
    const connection = await peer.accept();
    await connection.handshake();
    await connection.sees(/^DATA 1 .*end/);
    connection.write(connection.headers(1, fields), frames.data(1, body), connection.trailers(1));
    assert.match((await failure(unary, StatusCode.INTERNAL)).message, message);
  }
  const { peer, client } = await withPeer(t);
  const unary = client.unary({ value: "ping" });
  unary.catch(() => undefined);
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA 1 .*end/);
  connection.write(connection.headers(1, [["grpc-encoding", "br"]]), connection.trailers(1, "5"));
  await failure(unary, StatusCode.NOT_FOUND);
});

test("the limit of buffered octets counts inflated messages until they are taken", async (t) => {
  const lab = await useServer(
    t,
    withHandlers({
      async upload(requests) {
        const reader = requests[Symbol.asyncIterator]();
        await reader.next();
        await new Promise<void>((resolve) => setImmediate(resolve));
        return {};
      },
    }),
    { server: { maxBufferedBytes: 300_000 } },
  );
  const client = lab.client(Lab, { compression: { send: "gzip" } });
  await client.upload([{ text: "a".repeat(200_000) }, { text: "b".repeat(200_000) }]);
  const tooMuch = client.upload([{ text: "a".repeat(400_000) }]);
  await failureOf(tooMuch, StatusCode.RESOURCE_EXHAUSTED);
});
