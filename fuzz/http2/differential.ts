/**
 * The same octets to our core and to `node:http2`, in either role: the connection ends, a stream ends, or all is accepted,
 * and both agree which. Where they are known not to, the reason is in {@link DIFFERENCES}. RFC 9113 §5.4.
 *
 * One session has one deviation at most, between frames that are legal: behind a fault two implementations may differ.
 */
import assert from "node:assert/strict";
import { ErrorCode } from "../../packages/volant/src/http2/error-code.ts";
import { FrameType } from "../../packages/volant/src/http2/frame-type.ts";
import type { Role } from "../../packages/volant/src/http2/index.ts";
import type { OutboundBlock } from "../../packages/volant/src/http2/stream.ts";
import { FrameTrace } from "../../packages/volant/src/testing/frame-factory.ts";
import type { FuzzRun, FuzzTarget } from "../target.ts";
import { type Bugs, type Core, loadCore } from "./core.ts";
import { ASKED, DEVIATIONS, type Session, sessionWith } from "./deviations.ts";
import { nodeAnswer } from "./differential-peer.ts";
import { Random } from "./random-source.ts";

const ZERO_INCREMENT = {
  file: "frames/window-update.ts",
  find: "if (readUint31(bytes, start) === 0)",
  replace: "if (readUint31(bytes, start) < 0)",
};

const BUGS: Readonly<Record<Role, Bugs>> = {
  server: {
    "an increment of zero is taken": ZERO_INCREMENT,
    "DATA may come after END_STREAM": {
      file: "stream-state.ts",
      find: "[GONE, GONE, GONE, GONE, CLOSED, REMOTE, REMOTE",
      replace: "[GONE, GONE, REMOTE, REMOTE, CLOSED, REMOTE, REMOTE",
    },
  },
  client: {
    "an increment of zero is taken": ZERO_INCREMENT,
    "a status may be any text": {
      file: "header-rules.ts",
      find: "/^[1-9][0-9][0-9]$/",
      replace: "/^/",
    },
  },
};

export const differential: FuzzTarget = target("http2-differential", "server");
export const differentialClient: FuzzTarget = target("http2-differential-client", "client");

function target(name: string, role: Role): FuzzTarget {
  return { name, bugs: Object.keys(BUGS[role]), start: (bug) => start(role, bug) };
}

export type Verdict = "closed" | "reset" | "accepted";

interface Difference {
  /** The deviation, its octets and both verdicts as one line. */
  readonly when: RegExp;
  readonly why: string;
}

const FIELDS_DROPPED: Difference = {
  when: /^HEADERS with fields \w*: node:http2 accepted, ours reset$/,
  why: "RFC 9113 §8.2.1: an illegal name or value makes the message malformed; nghttp2 drops the field and goes on",
};
const INCREMENTS: Difference = {
  when: /^WINDOW_UPDATE \w{10}0000000[17]\w*: node:http2 closed, ours reset$/,
  why: "RFC 9113 §6.9, §6.9.1: zero and overflow are errors of the stream; nghttp2 ends the connection",
};
const AFTER_RESET: Difference = {
  when: /^(DATA|HEADERS) \w{10}00000005\w*: node:http2 accepted, ours closed$/,
  why: "RFC 9113 §5.1 lets a frame after the peer's own RST_STREAM be an error; resets without end are no answer to it",
};

/** Where we knowingly judge otherwise, and why. */
export const DIFFERENCES: Readonly<Record<Role, readonly Difference[]>> = {
  server: [
    {
      when: /^HEADERS without 000007010400000007\w*: node:http2 reset, ours accepted$/,
      why: "RFC 9113 §8.3.1: a request without :authority is legal; nghttp2 wants one or a host field",
    },
    AFTER_RESET,
    FIELDS_DROPPED,
    INCREMENTS,
  ],
  client: [
    {
      when: /^DATA (\w{10}00000007|of another length )\w*: node:http2 closed, ours reset$/,
      why: "RFC 9113 §8.1.1: DATA before the response, or more than its content-length, is an error of the stream",
    },
    {
      when: /^HEADERS with status \w*820803: node:http2 reset, ours accepted$/,
      why: "RFC 9113 §8.6 gives 101 no meaning: to us it is one more interim response",
    },
    AFTER_RESET,
    FIELDS_DROPPED,
    INCREMENTS,
  ],
};

function start(role: Role, bug?: string): FuzzRun {
  const core = loadCore(BUGS[role], bug);
  const reached: Record<Verdict | "known differences", number> = {
    closed: 0,
    reset: 0,
    accepted: 0,
    "known differences": 0,
  };
  return {
    execute(seed) {
      const random = new Random(seed);
      const deviation = random.pick(DEVIATIONS[role]);
      const frame = deviation.frame(random);
      const octets = Buffer.isBuffer(frame) ? frame : frame.bytes();
      const session = sessionWith(role, octets);
      const ours = verdictOf(ourAnswer(core, role, session));
      const theirs = verdictOf(nodeAnswer(role, session));
      reached[ours]++;
      if (ours === theirs) return;
      const shown = `${deviation.name} ${octets.toString("hex")}: node:http2 ${theirs}, ours ${ours}`;
      if (DIFFERENCES[role].some(({ when }) => when.test(shown))) reached["known differences"]++;
      else assert.fail(shown);
    },
    reached: () => reached,
  };
}

const REQUEST: OutboundBlock = [
  { name: ":method", value: "POST", indexing: 0 },
  { name: ":scheme", value: "http", indexing: 0 },
  { name: ":path", value: "/s/m", indexing: 0 },
  { name: ":authority", value: "test", indexing: 0 },
];

/** Requests stay open on our side, so that only the peer ends streams. */
function ourAnswer(core: Core, role: Role, { opening, rest }: Session): Buffer {
  const under = new core.pair.CoreUnderTest(role);
  under.receive(opening);
  const asked = role === "client" ? ASKED : [];
  for (const _ of asked) under.http2.sendHeaders(under.http2.openStream(), REQUEST, false);
  under.receive(rest);
  return under.sentBytes();
}

/** GOAWAY with an error ends the connection, RST_STREAM with an error a stream. */
function verdictOf(answer: Buffer): Verdict {
  let verdict: Verdict = "accepted";
  for (const { type, payload } of new FrameTrace().read(answer)) {
    if (type === FrameType.GOAWAY && payload.readUInt32BE(4) !== ErrorCode.NO_ERROR) return "closed";
    if (type === FrameType.RST_STREAM && payload.readUInt32BE(0) !== ErrorCode.NO_ERROR) verdict = "reset";
  }
  return verdict;
}
