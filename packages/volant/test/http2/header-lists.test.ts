import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeaderField, Http2Stream } from "../../src/http2/index.ts";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { type Fields, frames, headerBlock } from "../../src/testing/frame-factory.ts";

const REQUEST: Fields = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/s/m"],
];

function judgeRequest(fields: Fields): string {
  const server = CoreUnderTest.ready("server").receive(frames.headers(1).fields(fields), frames.ping());
  const [first] = server.sent();
  assert.equal(server.http2.isClosed, false, "a malformed list is no matter of the connection");
  return first === "RST_STREAM 1 PROTOCOL_ERROR" ? "malformed" : server.events().length === 1 ? "accepted" : "?";
}

const MALFORMED_REQUESTS: readonly (readonly [rule: string, fields: Fields])[] = [
  ["§8.3.1 no :method", REQUEST.slice(1)],
  ["§8.3.1 no :scheme", [REQUEST[0]!, REQUEST[2]!]],
  ["§8.3.1 no :path", REQUEST.slice(0, 2)],
  ["§8.3.1 an empty list", []],
  ["§8.3.1 an empty :path", [REQUEST[0]!, REQUEST[1]!, [":path", ""]]],
  ["§8.3.1 an empty :method", [[":method", ""], ...REQUEST.slice(1)]],
  ["§8.3 two :path", [...REQUEST, [":path", "/"]]],
  ["§8.3 two :authority", [...REQUEST, [":authority", "a"], [":authority", "a"]]],
  ["§8.3 a pseudo-header behind a field", [...REQUEST, ["a", "b"], [":authority", "a"]]],
  ["§8.3 an unknown pseudo-header", [...REQUEST, [":foo", "a"]]],
  ["§8.3 a response pseudo-header", [...REQUEST, [":status", "200"]]],
  ["RFC 8441 §4 :protocol, which we did not offer", [...REQUEST, [":protocol", "websocket"]]],
  [
    "§8.5 CONNECT, which is not served",
    [
      [":method", "CONNECT"],
      [":authority", "a:1"],
    ],
  ],
  ["§8.2.1 an uppercase name", [...REQUEST, ["Abc", "x"]]],
  ["§8.2.1 an empty name", [...REQUEST, ["", "x"]]],
  ["§8.2.1 a name with a space", [...REQUEST, ["a b", "x"]]],
  ["§8.2.1 a value with CR LF", [...REQUEST, ["a", "x\r\ny: z"]]],
  ["§8.2.1 a value with NUL", [...REQUEST, ["a", "x\0"]]],
  ["§8.2.1 a value that starts with a space", [...REQUEST, ["a", " x"]]],
  ["§8.2.1 a value that ends with a tab", [...REQUEST, ["a", "x\t"]]],
  ["§8.2.2 connection", [...REQUEST, ["connection", "close"]]],
  ["§8.2.2 keep-alive", [...REQUEST, ["keep-alive", "1"]]],
  ["§8.2.2 proxy-connection", [...REQUEST, ["proxy-connection", "1"]]],
  ["§8.2.2 transfer-encoding", [...REQUEST, ["transfer-encoding", "chunked"]]],
  ["§8.2.2 upgrade", [...REQUEST, ["upgrade", "h2c"]]],
  ["§8.2.2 te with anything but trailers", [...REQUEST, ["te", "trailers, deflate"]]],
  ["RFC 9110 §8.6 a content-length that is no number", [...REQUEST, ["content-length", "1x"]]],
  ["RFC 9110 §8.6 two different content-lengths", [...REQUEST, ["content-length", "1"], ["content-length", "2"]]],
];

for (const [rule, fields] of MALFORMED_REQUESTS) {
  test(`${rule} makes a request malformed: its stream is reset`, () => assert.equal(judgeRequest(fields), "malformed"));
}

test("§8.3 pseudo-headers in any order, te: trailers, equal content-lengths and odd but legal names are accepted", () => {
  for (const more of [
    [],
    [["te", "trailers"]],
    [
      ["content-length", "5"],
      ["content-length", "5"],
    ],
    [["!#$%&'*+-.^_`|~0a", ""]],
  ] as Fields[]) {
    assert.equal(judgeRequest([REQUEST[2]!, REQUEST[0]!, [":authority", ""], REQUEST[1]!, ...more]), "accepted");
  }
});

test("§8.1.1 a refused request leaves HPACK in step, and its further frames are ignored", () => {
  const server = CoreUnderTest.ready("server");
  // :method POST, :scheme http, then two insertions: "a: b" and the malformed "A: b".
  const block = Buffer.concat([
    Buffer.of(0x83, 0x86, 0x84, 0x40, 1),
    Buffer.from("a"),
    Buffer.of(1),
    Buffer.from("b"),
    Buffer.of(0x40, 1),
    Buffer.from("A"),
    Buffer.of(1),
    Buffer.from("b"),
  ]);
  server.receive(
    frames.headers(1).block(block),
    frames.data(1, "x"),
    frames.windowUpdate(1, 5),
    frames.data(1, "").endStream(),
  );
  server.receive(
    frames
      .headers(3)
      .block(Buffer.of(0x83, 0x86, 0x84, 0xbf))
      .endStream(),
  );
  assert.deepEqual(server.sent(), ["RST_STREAM 1 PROTOCOL_ERROR"]);
  assert.deepEqual(server.events(), ["headers 3 end :method=POST :scheme=http :path=/ a=b"]);
});

/** A client that sent a request on stream 1, whose own side stays open. */
function waitingClient(): CoreUnderTest {
  const client = CoreUnderTest.ready("client");
  client.http2.sendHeaders(client.http2.openStream(), [], false);
  client.sent();
  return client;
}

for (const [rule, fields] of [
  ["§8.3.2 no :status", [["a", "b"]]],
  ["§8.3.2 an empty list", []],
  ["§8.3.2 :status of two digits", [[":status", "20"]]],
  ["§8.3.2 :status that is no number", [[":status", "2xx"]]],
  [
    "§8.3.2 two :status",
    [
      [":status", "200"],
      [":status", "200"],
    ],
  ],
  [
    "§8.3 a request pseudo-header",
    [
      [":status", "200"],
      [":path", "/"],
    ],
  ],
  [
    "§8.3 :status behind a field",
    [
      ["a", "b"],
      [":status", "200"],
    ],
  ],
  [
    "§8.2.2 a connection field",
    [
      [":status", "200"],
      ["connection", "x"],
    ],
  ],
] as readonly (readonly [string, Fields])[]) {
  test(`${rule} makes a response malformed: its stream is reset`, () => {
    const client = waitingClient().receive(frames.headers(1).fields(fields));
    assert.deepEqual(client.events(), ["reset 1 PROTOCOL_ERROR library"]);
    assert.deepEqual(client.sent(), ["RST_STREAM 1 PROTOCOL_ERROR"]);
  });
}

test("§8.1 interim responses are skipped, any number of them; the final one follows", () => {
  const client = waitingClient();
  for (let count = 0; count < 50; count++) client.receive(frames.headers(1).response(103, [["link", "x"]]));
  client.receive(
    frames.headers(1).response(200),
    frames
      .headers(1)
      .fields([["grpc-status", "0"]])
      .endStream(),
  );
  assert.deepEqual(client.events(), ["headers 1 :status=200", "trailers 1 grpc-status=0"]);
  assert.equal(client.http2.faultCounts.get("informational-response"), 50);
});

test("§8.1 an interim response that ends the stream is malformed", () => {
  const client = waitingClient().receive(frames.headers(1).response(100).endStream());
  assert.deepEqual(client.events(), ["reset 1 PROTOCOL_ERROR library"]);
});

test("§8.1 a second header block is trailers: it must end the stream and carry no pseudo-header", () => {
  const opened = () =>
    CoreUnderTest.ready("server").receive(frames.headers(1).request("POST", "/"), frames.data(1, "x"));
  const good = opened().receive(
    frames
      .headers(1)
      .fields([["checksum", "1"]])
      .endStream(),
  );
  assert.deepEqual(good.events().slice(2), ["trailers 1 checksum=1"]);
  const openEnded = opened().receive(frames.headers(1).fields([["checksum", "1"]]));
  assert.deepEqual(openEnded.events().slice(2), ["reset 1 PROTOCOL_ERROR library"]);
  assert.equal(openEnded.http2.faultCounts.get("trailers-without-end-stream"), 1);
  for (const fields of [
    [[":path", "/"]],
    [
      ["a", "b"],
      [":status", "200"],
    ],
    [["UP", "x"]],
  ] as Fields[]) {
    const bad = opened().receive(frames.headers(1).fields(fields).endStream());
    assert.deepEqual(bad.events().slice(2), ["reset 1 PROTOCOL_ERROR library"]);
  }
});

test("§8.1.1 content-length equals the octets of DATA, padding aside", () => {
  const announced = (length: number) =>
    CoreUnderTest.ready("server").receive(frames.headers(1).request("POST", "/", [["content-length", String(length)]]));
  const outcome = (core: CoreUnderTest) => core.events().at(-1);
  assert.equal(
    outcome(announced(3).receive(frames.data(1, "a").padded(9), frames.data(1, "bc").endStream())),
    'data 1 "bc" end',
  );
  assert.equal(outcome(announced(3).receive(frames.data(1, "abc"), frames.data(1, "").endStream())), 'data 1 "" end');
  assert.equal(outcome(announced(3).receive(frames.data(1, "abcd"))), "reset 1 PROTOCOL_ERROR library", "too much");
  assert.equal(
    outcome(announced(3).receive(frames.data(1, "ab").endStream())),
    "reset 1 PROTOCOL_ERROR library",
    "too little",
  );
  const trailers = frames.headers(1).fields([]).endStream();
  assert.equal(outcome(announced(3).receive(frames.data(1, "ab"), trailers)), "reset 1 PROTOCOL_ERROR library");
  assert.equal(outcome(announced(2).receive(frames.data(1, "ab"), trailers)), "trailers 1");
  const atOnce = (length: string) =>
    CoreUnderTest.ready("server").receive(
      frames
        .headers(1)
        .request("POST", "/", [["content-length", length]])
        .endStream(),
    );
  assert.deepEqual(atOnce("1").sent(), ["RST_STREAM 1 PROTOCOL_ERROR"]);
  assert.equal(atOnce("1").http2.isClosed, false);
  assert.match(outcome(atOnce("0")) ?? "", /^headers 1 end/);
});

test("§10.5.1 a list above maxHeaderListBytes ends its stream, one octet less is served, and the connection goes on", () => {
  const limits = { maxHeaderListBytes: 1_000 };
  const size = REQUEST.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
  const filled = (extra: number): Fields => [...REQUEST, ["a", "x".repeat(1_000 - size - 33 + extra)]];
  const legal = CoreUnderTest.ready("server", limits).receive(frames.headers(1).fields(filled(0)));
  assert.equal(legal.events().length, 1);
  const attacked = CoreUnderTest.ready("server", limits).receive(
    frames.headers(1).fields(filled(1)),
    frames.headers(3).fields(REQUEST),
  );
  assert.deepEqual(attacked.sent(), ["RST_STREAM 1 ENHANCE_YOUR_CALM"]);
  assert.equal(attacked.events().length, 1);
});

test("§10.5.1 too many fields end their stream (CVE-2026-49975), as many as allowed do not", () => {
  const crumbs = (count: number): Fields => [
    ...REQUEST,
    ...Array.from({ length: count }, () => ["cookie", ""] as const),
  ];
  const server = CoreUnderTest.ready("server", { maxHeaderFields: 50, maxHeaderListBytes: 100_000 });
  server.receive(frames.headers(1).fields(crumbs(47)), frames.headers(3).fields(crumbs(48)));
  assert.deepEqual(server.sent(), ["RST_STREAM 3 ENHANCE_YOUR_CALM"]);
  assert.equal(server.events().length, 1);
});

test("§4.3 a block that does not decode ends the connection", () => {
  const server = CoreUnderTest.ready("server").receive(frames.headers(1).block(Buffer.of(0xff, 0xff)));
  assert.deepEqual(server.events(), ["closed COMPRESSION_ERROR header-compression library"]);
});

test("§6.10 a block crosses any number of allowed CONTINUATION frames", () => {
  const block = headerBlock(REQUEST);
  for (let cut = 0; cut <= block.length; cut++) {
    const server = CoreUnderTest.ready("server").receive(
      frames.headers(1).fields(REQUEST).endStream().continued(0, cut, cut),
    );
    assert.deepEqual(server.events(), ["headers 1 end :method=POST :scheme=http :path=/s/m"]);
    assert.equal(server.http2.nextTimeout(), Number.POSITIVE_INFINITY);
  }
});

test("§6.10 padding and priority of the HEADERS in front of a CONTINUATION are no part of the block", () => {
  const block = headerBlock(REQUEST);
  const head = frames.headers(1).block(block.subarray(0, 3)).priority(0).padded(5).withoutFlag(0x4);
  const server = CoreUnderTest.ready("server").receive(head, frames.continuation(1, block.subarray(3)));
  assert.deepEqual(server.events(), ["headers 1 :method=POST :scheme=http :path=/s/m"]);
});

for (const [name, frame] of [
  ["DATA of the same stream", frames.data(1, "a")],
  ["CONTINUATION of another stream", frames.continuation(3, Buffer.alloc(0))],
  ["HEADERS", frames.headers(3).request("GET", "/")],
  ["PING", frames.ping()],
  ["PRIORITY of the same stream", frames.priority(1, 0)],
  ["a frame of unknown type", frames.raw(0xee, 0, 1)],
] as const) {
  test(`§6.10 ${name} inside a header block ends the connection`, () => {
    const open = frames.headers(1).request("GET", "/").withoutFlag(0x4);
    const server = CoreUnderTest.ready("server").receive(open, frame);
    assert.deepEqual(server.events(), ["closed PROTOCOL_ERROR frame-inside-header-block library"]);
  });
}

test("§6.10 more CONTINUATION frames than maxContinuations end the connection (CVE-2024-27316), even empty ones", () => {
  const block = headerBlock(REQUEST);
  const cuts = (count: number) => Array.from({ length: count }, () => 1);
  const legal = CoreUnderTest.ready("server").receive(
    frames
      .headers(1)
      .block(block)
      .continued(...cuts(8)),
  );
  assert.equal(legal.events().length, 1);
  const attacked = CoreUnderTest.ready("server").receive(
    frames
      .headers(1)
      .block(block)
      .continued(...cuts(9)),
  );
  assert.deepEqual(attacked.events(), ["closed ENHANCE_YOUR_CALM too-many-continuations library"]);
});

test("§10.5.1 a block far larger than a list ends its stream only, and the table is in step afterwards", () => {
  for (const role of ["server", "client"] as const) {
    const core = CoreUnderTest.ready(role);
    const known = Buffer.concat([Buffer.of(0x40, 7), Buffer.from("x-known"), Buffer.of(1), Buffer.from("1")]);
    const start = headerBlock(role === "server" ? REQUEST : [[":status", "200"]]);
    const large = headerBlock([["grpc-message", "é\u0000".repeat(100_000)]]);
    if (role === "client") {
      for (let at = 0; at < 2; at++) core.http2.sendHeaders(core.http2.openStream(), [], false);
      core.sent();
    }
    const block = Buffer.concat([start, known, large]);
    const cuts = Array.from({ length: Math.floor(block.length / 16_384) }, (_, at) => (at + 1) * 16_384);
    core.receive(
      frames
        .headers(1)
        .block(block)
        .endStream()
        .continued(...cuts),
    );
    assert.deepEqual(core.sent(), ["RST_STREAM 1 ENHANCE_YOUR_CALM"]);
    // The first dynamic entry is the one that the large block had inserted.
    core.receive(frames.headers(3).block(Buffer.concat([start, Buffer.of(0xbe)])));
    assert.match(core.events().at(-1)!, /^headers 3 .*x-known=1$/);
    assert.equal(core.http2.faultCounts.get("header-list-too-large"), 1);
    assert.ok(core.http2.faultCounts.get("oversized-header-block")! >= 10);
  }
});

test("§6.10 a block earns a CONTINUATION with each 8 KiB: frames of full size never run out, small ones do", () => {
  const block = Buffer.alloc(400_000, 0x82);
  const every = (step: number) =>
    Array.from({ length: Math.ceil(block.length / step) - 1 }, (_, at) => (at + 1) * step);
  const full = CoreUnderTest.ready("server").receive(
    frames
      .headers(1)
      .block(block)
      .continued(...every(16_384)),
  );
  assert.equal(full.http2.isClosed, false);
  const small = CoreUnderTest.ready("server").receive(
    frames
      .headers(1)
      .block(block)
      .continued(...every(1_000)),
  );
  assert.equal(small.http2.fault?.cause, "too-many-continuations");
});

test("§6.10 a block of more than maxHeaderBlockBytes ends the connection", () => {
  const options = { maxHeaderListBytes: 1_000, maxHeaderBlockBytes: 4_000 };
  const block = (bytes: number) => frames.headers(1).block(Buffer.alloc(bytes, 0x82)).continued(1_500, 3_000);
  assert.equal(CoreUnderTest.ready("server", options).receive(block(4_000)).http2.isClosed, false);
  const attacked = CoreUnderTest.ready("server", options).receive(block(4_001));
  assert.deepEqual(attacked.events(), ["closed ENHANCE_YOUR_CALM header-block-too-large library"]);
});

test("§4.3 an oversized block that does not decode ends the connection", () => {
  const options = { maxHeaderListBytes: 1_000 };
  const cut = Buffer.concat([Buffer.alloc(3_000, 0x82), Buffer.of(0xff)]);
  for (const block of [cut, Buffer.concat([cut, Buffer.of(0xff, 0x7f)])]) {
    const core = CoreUnderTest.ready("server", options).receive(frames.headers(1).block(block).continued(2_500));
    assert.equal(core.http2.fault?.cause, "header-compression");
  }
});

test("§10.5.1 the layer above answers a request whose list is too large, and sees the fields in front of the limit", () => {
  const seen: string[] = [];
  const core = CoreUnderTest.ready("server");
  Object.assign(core.sink, {
    onOversizedRequest: (stream: Http2Stream, fields: readonly HeaderField[]) => {
      seen.push(fields.map(({ name }) => name).join());
      core.http2.sendHeaders(stream, Buffer.of(0x88), true);
      core.http2.resetWhenDone(stream);
    },
  });
  const large: Fields = [...REQUEST, ["a", "x".repeat(17_000)]];
  core.receive(
    frames.headers(1).fields(large).continued(16_000),
    frames.headers(3).fields(large).endStream().continued(16_000),
  );
  assert.deepEqual(seen, [":method,:scheme,:path", ":method,:scheme,:path"]);
  assert.deepEqual(core.sent(), ["HEADERS 1 end :status=200", "RST_STREAM 1 NO_ERROR", "HEADERS 3 end :status=200"]);
  assert.equal(core.http2.streamCount, 0);
  assert.equal(core.http2.faultCounts.get("header-list-too-large"), 2);
});

test("§6.5.2 what may be sent follows the peer's SETTINGS, and a default where it names no limit", () => {
  const core = CoreUnderTest.ready("server", { maxSentHeaderListBytes: 2_000 });
  assert.equal(core.http2.peerLists.bytes, 2_000);
  for (const [named, taken] of [
    [100, 100],
    [0, 0],
    [50_000, 50_000],
    [0x7fff_ffff, 1_048_576],
    [0xffff_ffff, 2_000],
  ] as const) {
    core.receive(frames.settings([6, named]));
    assert.equal(core.http2.peerLists.bytes, taken);
  }
});

test("§6.5.2 trailers that waited while the peer lowered its limit lose their last fields, or their stream", () => {
  for (const [limit, sent] of [
    [60, "HEADERS 1 end grpc-status=5"],
    [10, "RST_STREAM 1 INTERNAL_ERROR"],
  ] as const) {
    const core = CoreUnderTest.ready("server", {}, [4, 0]).receive(frames.headers(1).fields(REQUEST).endStream());
    const stream = core.stream(1);
    core.http2.sendHeaders(stream, Buffer.of(0x88), false);
    core.http2.sendData(stream, Buffer.from("x"), false);
    core.http2.sendTrailers(stream, [
      { name: "grpc-status", value: "5", indexing: 1 },
      { name: "grpc-message", value: "m".repeat(200), indexing: 1 },
    ]);
    core.receive(frames.settings([6, limit]), frames.windowUpdate(1, 10));
    assert.equal(core.sent().at(-1), sent);
    assert.equal(core.http2.faultCounts.get("trailers-cut"), 1);
    assert.equal(core.http2.streamCount, 0);
  }
});

test("§6.10 a block must be complete headerBlockTimeoutMs after its HEADERS", () => {
  const open = () =>
    CoreUnderTest.ready("server", { headerBlockTimeoutMs: 50 }).receive(
      frames.headers(1).request("GET", "/").withoutFlag(0x4),
    );
  const dribbled = open()
    .advance(49)
    .receive(frames.continuation(1, Buffer.alloc(0), false))
    .advance(1);
  assert.deepEqual(dribbled.events(), ["closed ENHANCE_YOUR_CALM header-block-timeout library"]);
  const prompt = open()
    .advance(49)
    .receive(frames.continuation(1, Buffer.alloc(0)))
    .advance(1_000);
  assert.equal(prompt.events().length, 1);
  assert.equal(prompt.http2.isClosed, false);
});

test("§4.3 a block larger than the peer's frames is sent as HEADERS and CONTINUATION, nothing in between", () => {
  const server = CoreUnderTest.ready("server").receive(frames.headers(1).request("GET", "/").endStream());
  server.http2.sendHeaders(server.stream(1), [{ name: "a", value: "\u00ff".repeat(40_000), indexing: 1 }], false);
  server.http2.sendTrailers(server.stream(1), Buffer.alloc(16_385, 0x88));
  const sent = server.sent().map((line) => line.slice(0, 20));
  assert.deepEqual(sent, [
    "HEADERS 1 …",
    "CONTINUATION 1 …",
    `CONTINUATION 1 a=${"\u00ff".repeat(3)}`,
    "HEADERS 1 end …",
    "CONTINUATION 1 :stat",
  ]);
});
