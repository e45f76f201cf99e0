/**
 * Attacks with header blocks: blocks that never end, blocks that are small on the wire and large in memory, and lists that
 * mean something else to whoever is behind us.
 */
import type { HeaderField } from "../../src/http2/hpack/index.ts";
import type { Http2Options } from "../../src/http2/options.ts";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { type Fields, frames, headerBlock } from "../../src/testing/frame-factory.ts";
import { type Attack, drip, OFF, type Outcome, request, Victim } from "./attack.ts";

const REQUEST: Fields = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/s/m"],
];
const NOTHING = Buffer.alloc(0);
const FRAME_BYTES = 16_384;

const opened = (id: number): Buffer => frames.headers(id).block(headerBlock(REQUEST)).withoutFlag(0x4).bytes();

const continuations: Attack = {
  name: "a header block that never ends",
  cve: "CVE-2024-27316, CVE-2023-45288, CVE-2024-27983",
  rule: "CONTINUATION frames of a block are capped, but for one with each 8 KiB of it",
  options: ["maxContinuations"],
  counter: "too-many-continuations",
  unit: "CONTINUATION frames read",
  allowed: 9,
  off: { maxContinuations: OFF },
  play: (options) => {
    const victim = new Victim("server", options);
    victim.feed(opened(1));
    victim.flood(100, 1, () => frames.continuation(1, Buffer.of(0x84), false));
    return { got: victim.read - 1, core: victim.core };
  },
  honest: {
    name: "15 KiB of metadata in a HEADERS and eight CONTINUATION frames",
    play: () => {
      const victim = new Victim("server");
      const headers = frames.headers(1).fields([...REQUEST, ["a", "x".repeat(15_000)]]);
      victim.feed(headers.continued(1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000));
      if (victim.core.http2.streamCount !== 1) throw new Error("the request was not taken");
      victim.assertUnhurt();
    },
  },
};

/** A literal of that many bytes, and it alone. */
function literal(bytes: number): Buffer {
  const length = bytes - 127;
  const head = Buffer.of(0x00, 1, 0x61, 0x7f, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14);
  return Buffer.concat([head, Buffer.alloc(bytes, 0x78)]);
}

/** Frames of full size, as every encoder makes them. */
function inFullFrames(id: number, block: Buffer, isEnd: boolean): Buffer {
  const cuts = Array.from({ length: Math.floor(block.length / FRAME_BYTES) }, (_, at) => (at + 1) * FRAME_BYTES);
  const headers = frames.headers(id).block(block);
  return (isEnd ? headers.endStream() : headers).continued(...cuts);
}

const fullFrames: Attack = {
  name: "a header block that never ends, in frames of full size",
  cve: "CVE-2024-27316, CVE-2023-45288",
  rule: "beyond twice maxHeaderListBytes a block is decoded for the table alone and not kept; a larger one than the cap ends the connection",
  options: ["maxHeaderBlockBytes", "maxHeaderListBytes"],
  counter: "header-block-too-large",
  unit: "octets of one block read",
  allowed: 1_048_576 + FRAME_BYTES,
  off: { maxHeaderBlockBytes: OFF },
  play: (options) => {
    const victim = new Victim("server", options);
    victim.feed(opened(1));
    const indexed = Buffer.alloc(FRAME_BYTES, 0x84);
    victim.flood(100, 1, () => frames.continuation(1, indexed, false));
    return { got: (victim.read - 1) * FRAME_BYTES, core: victim.core };
  },
  honest: {
    name: "a server whose error has 70,000 characters costs its own call only",
    play: () => {
      const victim = waitingClient({});
      victim.core.http2.sendHeaders(victim.core.http2.openStream(), [], false);
      victim.feed(inFullFrames(1, Buffer.concat([headerBlock([[":status", "200"]]), literal(70_000)]), true));
      victim.feed(frames.headers(3).response(200));
      victim.assertUnhurt("oversized-header-block", "header-list-too-large");
      if (victim.core.http2.streamCount !== 1) throw new Error("the other call is gone");
    },
  },
};

const oversizedBlocks: Attack = {
  name: "header blocks far beyond the limit, one after another",
  cve: "CVE-2024-27316",
  rule: "each frame of a block that is only passed over, and each list that is too large, costs a glitch",
  options: ["glitchBurst", "glitchesPerSecond"],
  counter: "oversized-header-block",
  unit: "frames decoded for nothing in a second",
  allowed: 10_500,
  off: { glitchBurst: OFF },
  play: (options) => {
    const victim = new Victim("server", { maxHeaderListBytes: 256, ...options });
    const passedOver = headerBlock([["a", "x".repeat(700)]]);
    victim.flood(1_000, 10, (index) =>
      frames
        .headers(1 + 2 * index)
        .block(passedOver)
        .continued(passedOver.length),
    );
    return { got: victim.counted("oversized-header-block"), core: victim.core };
  },
  honest: {
    name: "a server with 30 errors of 70,000 characters a second, for ten seconds",
    play: () => {
      const victim = new Victim("client");
      const block = Buffer.concat([headerBlock([[":status", "200"]]), literal(70_000)]);
      for (let index = 0; index < 300; index++) {
        victim.core.http2.sendHeaders(victim.core.http2.openStream(), [], false);
        victim.feed(inFullFrames(1 + 2 * index, block, true));
        victim.pass(33);
      }
      victim.assertUnhurt("oversized-header-block", "header-list-too-large");
    },
  },
};

const emptyFragments: Attack = {
  name: "header fragments of nothing",
  cve: "CVE-2019-9518, CVE-2019-9516",
  rule: "an empty HEADERS or CONTINUATION that does not end its block costs ten glitches",
  options: ["glitchBurst", "glitchesPerSecond"],
  counter: "empty-header-fragment",
  unit: "empty fragments in a second",
  allowed: 1_200,
  off: { glitchBurst: OFF },
  play: (options) => {
    const victim = new Victim("server", options);
    let got = 0;
    victim.flood(1_000, 1, (index) => {
      const id = 1 + 2 * index;
      const empty = Array.from({ length: 7 }, () => frames.continuation(id, NOTHING, false).bytes());
      got += empty.length;
      return Buffer.concat([opened(id), ...empty, frames.continuation(id, NOTHING).bytes(), reset(id)]);
    });
    return { got, core: victim.core };
  },
  honest: {
    name: "ten calls a second whose block ends in an empty CONTINUATION and has one in its middle",
    play: () => {
      const victim = new Victim("server");
      for (let index = 0; index < 10_000; index++) {
        const id = 1 + 2 * index;
        victim.feed(opened(id), frames.continuation(id, NOTHING, false), frames.continuation(id, NOTHING));
        victim.core.http2.sendHeaders(victim.core.stream(id), Buffer.of(0x88), true);
        victim.core.http2.resetWhenDone(victim.core.stream(id));
        victim.pass(100);
      }
      victim.assertUnhurt("empty-header-fragment");
    },
  },
};

function reset(id: number): Buffer {
  return frames.rstStream(id, 8).bytes();
}

const slowBlock: Attack = {
  name: "a header block that is sent an octet at a time",
  cve: "CVE-2024-27983, slowloris",
  rule: "a block is complete headerBlockTimeoutMs after its HEADERS; nothing else may come meanwhile",
  options: ["headerBlockTimeoutMs"],
  counter: "header-block-timeout",
  unit: "seconds of a connection",
  allowed: 10,
  off: { headerBlockTimeoutMs: 0x7fff_ffff },
  play: (options) => {
    const victim = new Victim("server", options);
    victim.feed(opened(1));
    let got = 0;
    for (; got < 1_000 && victim.isReading; got++) victim.pass(1_000);
    return { got, core: victim.core };
  },
  honest: {
    name: "a block that takes nine seconds over a bad link",
    play: () => {
      const victim = new Victim("server");
      victim.feed(opened(1));
      victim.pass(9_000).feed(frames.continuation(1, NOTHING));
      victim.pass(60_000).assertUnhurt();
    },
  },
};

const slowHeaders: Attack = {
  name: "a HEADERS frame that is sent an octet a second",
  cve: "slowloris",
  rule: "the time of a block begins with the first octet of its HEADERS, and not when that frame is complete",
  options: ["headerBlockTimeoutMs"],
  counter: "header-block-timeout",
  unit: "seconds of a connection",
  allowed: 10,
  off: { headerBlockTimeoutMs: 0x7fff_ffff },
  play: (options) => {
    const victim = new Victim("server", options);
    const block = headerBlock([...REQUEST, ["a", "x".repeat(10_000)]]);
    return { got: drip(victim, frames.headers(1).block(block).bytes()), core: victim.core };
  },
  honest: {
    name: "a HEADERS frame of 15 KiB over a link of 2 KiB a second",
    play: () => {
      const victim = new Victim("server");
      const octets = frames
        .headers(1)
        .fields([...REQUEST, ["a", "x".repeat(15_000)]])
        .bytes();
      for (let at = 0; at < octets.length; at += 2_048) {
        victim.feed(octets.subarray(at, at + 2_048));
        victim.pass(1_000);
      }
      if (victim.core.http2.streamCount !== 1) throw new Error("the request was not taken");
      victim.pass(60_000).assertUnhurt();
    },
  },
};

const silence: Attack = {
  name: "a connection that says nothing",
  cve: "slowloris",
  rule: "preface and SETTINGS within handshakeTimeoutMs, the acknowledgement of ours within settingsAckTimeoutMs",
  options: ["handshakeTimeoutMs", "settingsAckTimeoutMs"],
  counter: "settings-ack-timeout",
  unit: "seconds of a connection",
  allowed: 20,
  off: { handshakeTimeoutMs: 0x7fff_ffff, settingsAckTimeoutMs: 0x7fff_ffff },
  play: (options) => {
    const core = new CoreUnderTest("server", options).advance(9_000);
    core.receive(frames.preface, frames.settings());
    let got = 9;
    for (; got < 1_000 && !core.http2.isClosed; got++) core.advance(1_000);
    return { got, core };
  },
  honest: {
    name: "a client that takes nine seconds for its SETTINGS and nine more for the acknowledgement, then idles for a day",
    play: () => {
      const slow = new CoreUnderTest("server").advance(9_000);
      slow.receive(frames.preface, frames.settings()).advance(9_000).receive(frames.settingsAck()).advance(86_400_000);
      if (slow.http2.isClosed) throw new Error(`an honest peer was closed: ${slow.http2.fault?.cause}`);
    },
  },
};

/** The largest list that reaches the layer above. */
function listsReached(
  options: Http2Options,
  blocks: readonly Buffer[],
  measure: (field: HeaderField) => number,
): Outcome {
  const victim = new Victim("server", options);
  let got = 0;
  const onList = (_stream: unknown, fields: HeaderField[]): void => {
    got = Math.max(
      got,
      fields.reduce((sum, field) => sum + measure(field), 0),
    );
  };
  victim.core.sink.react.onHeaders = onList;
  victim.core.sink.react.onTrailers = onList;
  victim.feed(...blocks);
  return { got, core: victim.core };
}

/** An entry of 4,000 octets goes into the table; the next block refers to it over and over, an octet each. */
function bombBlocks(references: number): Buffer[] {
  const entry = Buffer.concat([Buffer.of(0x40, 1, 0x61, 0x7f, 0xa1, 0x1e), Buffer.alloc(4_000, 0x78)]);
  const first = Buffer.concat([headerBlock(REQUEST), entry]);
  const second = Buffer.concat([headerBlock(REQUEST), Buffer.alloc(references, 0xbe)]);
  return [frames.headers(1).block(first).bytes(), frames.headers(3).block(second).bytes()];
}

const hpackBomb: Attack = {
  name: "HPACK bomb: one-octet references to a large entry",
  cve: "CVE-2016-6581",
  rule: "a list is measured as it is decoded (name, value and 32 a field); beyond the cap no field is made",
  options: ["maxHeaderListBytes", "headerTableBytes"],
  counter: "header-list-too-large",
  unit: "octets in one list",
  allowed: 16_384,
  off: { maxHeaderListBytes: 1_048_576 },
  play: (options) => listsReached(options, bombBlocks(100), (field) => field.size),
  honest: {
    name: "a list of 16 KiB less one octet, and half of it by reference to one entry",
    play: () => {
      const { got, core } = listsReached({}, bombBlocks(3), (field) => field.size);
      if (got < 12_000 || core.http2.faultCounts.size > 0) throw new Error("the list was not taken whole");
      const room = 16_383 - REQUEST.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0) - 33;
      const block = headerBlock([...REQUEST, ["a", "x".repeat(room)]]);
      const whole = listsReached({}, [frames.headers(1).block(block).continued(16_000)], (field) => field.size);
      if (whole.got !== 16_383) throw new Error(`${whole.got} octets arrived`);
    },
  },
};

const fieldBomb: Attack = {
  name: "field bomb: tiny fields and cookie crumbs, in headers and trailers",
  cve: "CVE-2026-49975, CVE-2026-47774",
  rule: "fields of one list are counted, each cookie crumb and each trailer too",
  options: ["maxHeaderFields"],
  counter: "header-list-too-large",
  unit: "fields in one list",
  allowed: 128,
  off: { maxHeaderFields: 65_536 },
  play: (options) => {
    const crumbs: Fields = Array.from({ length: 200 }, () => ["cookie", ""]);
    const tiny: Fields = Array.from({ length: 300 }, () => ["a", ""]);
    const blocks = [
      frames
        .headers(1)
        .fields([...REQUEST, ...crumbs])
        .bytes(),
      request(3),
      frames.headers(3).fields(tiny).endStream().bytes(),
    ];
    return listsReached(options, blocks, () => 1);
  },
  honest: {
    name: "a request of 128 fields, 100 of them cookie crumbs",
    play: () => {
      const crumbs: Fields = Array.from({ length: 100 }, (_, index) => ["cookie", `c${index}=${"v".repeat(30)}`]);
      const more: Fields = Array.from({ length: 25 }, (_, index) => [`x-${index}`, "v"]);
      const { got } = listsReached(
        {},
        [
          frames
            .headers(1)
            .fields([...REQUEST, ...crumbs, ...more])
            .bytes(),
        ],
        () => 1,
      );
      if (got !== 128) throw new Error(`${got} fields arrived`);
    },
  },
};

const smuggling: readonly Fields[] = [
  [["", "x"]],
  [["Upper", "x"]],
  [["a b", "x"]],
  [["a", "x\r\ny: z"]],
  [["a", "\0"]],
  [["connection", "close"]],
  [["transfer-encoding", "chunked"]],
  [["host", "evil"]],
  [
    ["host", "test"],
    ["host", "test"],
  ],
  [[":authority", "evil"]],
];

const smuggledFields: Attack = {
  name: "names and values that others read differently, a Host that is not :authority",
  cve: "CVE-2019-9516, request smuggling",
  rule: "such a list is malformed: the stream is reset, ten glitches",
  options: [],
  counter: "malformed-headers",
  unit: "requests taken",
  allowed: 0,
  off: undefined,
  play: () => {
    const victim = new Victim("server");
    let got = 0;
    victim.core.sink.react.onHeaders = () => void got++;
    for (const [index, fields] of smuggling.entries()) {
      victim.feed(frames.headers(1 + 2 * index).request("POST", "/", fields));
    }
    return { got, core: victim.core };
  },
  honest: {
    name: "a Host that equals :authority but for its case, or comes alone; names of every legal character",
    play: () => {
      const victim = new Victim("server");
      victim.feed(frames.headers(1).request("POST", "/", [["host", "Test"]]));
      victim.feed(frames.headers(3).fields([...REQUEST, ["host", "any"]]));
      victim.feed(frames.headers(5).fields([...REQUEST, ["!#$%&'*+-.^_`|~0a", "\x80\xff"]]));
      if (victim.core.http2.streamCount !== 3) throw new Error("not every request was taken");
      victim.assertUnhurt();
    },
  },
};

const lateHeaders: Attack = {
  name: "header blocks for streams that are over",
  cve: "CVE-2019-9514",
  rule: "they are decoded, not answered, and cost a glitch each",
  options: ["glitchBurst", "glitchesPerSecond"],
  counter: "late-headers",
  unit: "blocks decoded in a second",
  allowed: 10_500,
  off: { glitchBurst: OFF },
  play: (options) => {
    const victim = new Victim("server", options);
    victim.feed(request(1));
    victim.core.http2.resetStream(victim.core.stream(1), 8);
    const trailers = frames
      .headers(1)
      .fields([["a", "b"]])
      .endStream()
      .bytes();
    victim.flood(1_000, 100, () => trailers);
    return { got: victim.read - 1, core: victim.core };
  },
  honest: {
    name: "trailers of 300 calls a second under way while we reset them, for a minute",
    play: () => {
      const victim = new Victim("server");
      for (let index = 0; index < 18_000; index++) {
        const id = 1 + 2 * index;
        victim.feed(request(id));
        victim.core.http2.resetStream(victim.core.stream(id), 8);
        victim.feed(
          frames
            .headers(id)
            .fields([["a", "b"]])
            .endStream(),
        );
        if (index % 3 === 2) victim.pass(10);
      }
      victim.assertUnhurt("late-headers");
    },
  },
};

/** A client that waits for the answer on stream 1. */
function waitingClient(options: Http2Options): Victim {
  const victim = new Victim("client", options);
  victim.core.http2.sendHeaders(victim.core.http2.openStream(), [], false);
  return victim;
}

const interim: Attack = {
  name: "interim responses without end",
  cve: "1xx flood",
  rule: "all interim responses of a stream together are no larger than one header list; each is a glitch",
  options: ["maxHeaderListBytes", "glitchBurst"],
  counter: "informational-response",
  unit: "interim responses read",
  allowed: 400,
  off: { maxHeaderListBytes: 1_048_576, glitchBurst: OFF },
  play: (options) => {
    const victim = waitingClient(options);
    for (let index = 0; index < 1_000 && victim.core.http2.streamCount > 0; index++) {
      victim.feed(frames.headers(1).response(103));
    }
    return { got: victim.counted("informational-response"), core: victim.core };
  },
  honest: {
    name: "fifty interim responses with a link each, then the final one",
    play: () => {
      const victim = waitingClient({});
      for (let index = 0; index < 50; index++) {
        victim.feed(frames.headers(1).response(103, [["link", "</style.css>; rel=preload; as=style"]]));
      }
      victim.feed(frames.headers(1).response(200));
      victim.assertUnhurt("informational-response");
      if (victim.core.http2.streamCount !== 1) throw new Error("the stream is gone");
    },
  },
};

export const HEADER_ATTACKS: readonly Attack[] = [
  continuations,
  fullFrames,
  oversizedBlocks,
  emptyFragments,
  slowBlock,
  slowHeaders,
  silence,
  hpackBomb,
  fieldBomb,
  smuggledFields,
  lateHeaders,
  interim,
];
