/**
 * Attacks with streams that begin and end for nothing: work for handlers, and answers nobody needs.
 */
import type { Http2Options } from "../../src/http2/options.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { type Attack, OFF, request, Victim } from "./attack.ts";

/** What every handler that takes long does at a stream's begin. */
function holdSlots(victim: Victim, onBegin: () => void): void {
  victim.core.sink.react.onHeaders = (stream) => {
    victim.core.http2.holdSlot(stream);
    onBegin();
  };
}

const reset = (id: number): Buffer => Buffer.concat([request(id), frames.rstStream(id, 8).bytes()]);

const rapidResetOfWork: Attack = {
  name: "rapid reset of handlers that take long",
  cve: "CVE-2023-44487",
  rule: "a stream that ended keeps its place until its handler settles; beyond that REFUSED_STREAM",
  options: ["maxConcurrentStreams", "abandonedHandlerMs", "maxAbandonedHandlers"],
  counter: "handlers-busy",
  unit: "handlers running at once",
  allowed: 100,
  off: {},
  play: (options, isOn) => {
    const victim = new Victim("server", options);
    let running = 0;
    if (isOn) holdSlots(victim, () => running++);
    else victim.core.sink.react.onHeaders = () => void running++;
    victim.flood(100, 10, (index) => reset(1 + 2 * index));
    return { got: running, core: victim.core };
  },
  honest: {
    name: "100 calls at once over and over, cancelled or not, whose handlers settle when they end",
    play: () => {
      const victim = new Victim("server");
      holdSlots(victim, () => {});
      for (let round = 0; round < 50; round++) {
        const ids = Array.from({ length: 100 }, (_, index) => 1 + 2 * (100 * round + index));
        victim.feed(...ids.map((id) => request(id)));
        for (const id of ids) {
          const stream = victim.core.stream(id);
          if (id % 4 === 1) victim.feed(frames.rstStream(id, 8));
          else victim.core.http2.resetStream(stream, 0);
          victim.core.http2.releaseSlot(stream);
        }
        victim.pass(50);
      }
      victim.assertUnhurt("reset-by-peer");
    },
  },
};

const rapidReset: Attack = {
  name: "rapid reset",
  cve: "CVE-2023-44487",
  rule: "resets before our answer spend a budget; while it is empty new streams get REFUSED_STREAM",
  options: ["resetBurst", "resetsPerSecond"],
  counter: "reset-budget-spent",
  unit: "calls begun in a second",
  allowed: 4_100,
  off: { resetBurst: OFF },
  play: (options) => {
    const victim = new Victim("server", options);
    let begun = 0;
    victim.core.sink.react.onHeaders = () => void begun++;
    victim.flood(1_000, 20, (index) => reset(1 + 2 * index));
    return { got: begun, core: victim.core };
  },
  honest: {
    name: "2,000 calls a second whose deadlines pass, for a minute, while the server completes none",
    play: () => {
      const victim = new Victim("server").flood(60_000, 2, (index) => reset(1 + 2 * index));
      if (victim.counted("reset-by-peer") !== 120_000) throw new Error("not every call was begun and reset");
      victim.assertUnhurt("reset-by-peer");
    },
  },
};

const refusedStreams: Attack = {
  name: "streams beyond the limit",
  cve: "CVE-2023-44487, CVE-2019-9514",
  rule: "each refusal spends a budget; in debt we stop reading until it has grown back",
  options: ["maxConcurrentStreams", "refusalBurst", "refusalsPerSecond"],
  counter: "too-many-streams",
  unit: "refusals in a second",
  allowed: 14_200,
  off: { refusalBurst: OFF },
  play: (options) => {
    const victim = new Victim("server", options).flood(1_000, 40, (index) => request(1 + 2 * index));
    return { got: victim.countOf("RST_STREAM"), core: victim.core };
  },
  honest: {
    name: "a client that begins 5,000 calls before it has read our SETTINGS, and tries each of them again",
    play: () => {
      const victim = new Victim("server");
      for (let round = 0; round < 2; round++) {
        victim.feed(...Array.from({ length: 5_000 }, (_, index) => request(1 + 2 * (index + 5_000 * round))));
        victim.pass(50);
      }
      victim.assertUnhurt("too-many-streams");
    },
  },
};

const ILLEGAL: readonly ((id: number) => Buffer)[] = [
  (id) => frames.windowUpdate(id, 0).bytes(),
  (id) => frames.windowUpdate(id, 0x7fff_ffff).bytes(),
  (id) => frames.raw(0x2, 0, id, Buffer.alloc(6)).bytes(),
  (id) => frames.priority(id, id).bytes(),
  (id) =>
    frames
      .headers(id)
      .fields([["a", "b"]])
      .bytes(),
  (id) =>
    frames
      .headers(id)
      .fields([["A", "b"]])
      .endStream()
      .bytes(),
];

const madeYouReset: Attack = {
  name: "made-you-reset: illegal frames that make us reset open streams",
  cve: "CVE-2025-8671",
  rule: "a stream error costs ten glitches and a reset",
  options: ["glitchBurst", "glitchesPerSecond", "resetBurst"],
  counter: "window-update-zero-on-stream",
  unit: "stream errors in a second",
  allowed: 1_100,
  off: { glitchBurst: OFF, resetBurst: OFF },
  play: (options) => {
    const victim = new Victim("server", options).flood(1_000, 12, (index) => {
      const id = 1 + 2 * index;
      return Buffer.concat([request(id), ILLEGAL[index % ILLEGAL.length]!(id)]);
    });
    return { got: victim.countOf("RST_STREAM"), core: victim.core };
  },
  honest: {
    name: "a faulty client that breaks 20 streams a second for ten minutes",
    play: () => {
      const victim = new Victim("server");
      for (let index = 0; index < 12_000; index++) {
        const id = 1 + 2 * index;
        victim.feed(request(id), frames.windowUpdate(id, 0));
        victim.pass(50);
      }
      victim.assertUnhurt("window-update-zero-on-stream");
    },
  },
};

const illegalAfterEnd: Attack = {
  name: "made-you-reset: illegal frames after END_STREAM",
  cve: "CVE-2025-8671",
  rule: "a frame that is illegal after END_STREAM ends the connection, not the stream",
  options: [],
  counter: "window-update-zero-on-stream",
  unit: "resets",
  allowed: 0,
  off: undefined,
  play: () => {
    let got = 0;
    for (const illegal of [...ILLEGAL, (id: number) => frames.data(id, "x").bytes()]) {
      const victim = new Victim("server").flood(10, 10, (index) => {
        const id = 1 + 2 * index;
        return Buffer.concat([request(id, true), illegal(id)]);
      });
      got += victim.countOf("RST_STREAM") + (victim.core.http2.isClosed ? 0 : 1);
    }
    const core = new Victim("server").core.receive(request(1, true), frames.windowUpdate(1, 0));
    return { got, core };
  },
  honest: {
    name: "WINDOW_UPDATE, PRIORITY and RST_STREAM after END_STREAM are legal",
    play: () => {
      const victim = new Victim("server");
      victim.feed(request(1, true), frames.windowUpdate(1, 10), frames.priority(1, 0), frames.rstStream(1, 8));
      victim.feed(frames.windowUpdate(1, 10), frames.priority(1, 0), frames.rstStream(1, 8));
      victim.assertUnhurt("reset-by-peer");
    },
  },
};

const unreadResets: Attack = {
  name: "resets that nobody reads",
  cve: "CVE-2019-9514",
  rule: "provoked resets that wait for the socket pause reading",
  options: ["maxProvokedFrames"],
  counter: "too-many-streams",
  unit: "octets waiting",
  allowed: 65_536,
  off: { maxProvokedFrames: OFF, refusalBurst: OFF },
  play: (options) => {
    const victim = new Victim("server", options, { isPeerDeaf: true });
    victim.flood(1_000, 10, (index) => request(1 + 2 * index));
    return { got: victim.waitingBytes(), core: victim.core };
  },
  honest: {
    name: "99 refused streams while our socket is full",
    play: () => {
      const victim = new Victim("server", {}, { isPeerDeaf: true });
      victim.feed(...Array.from({ length: 199 }, (_, index) => request(1 + 2 * index)));
      victim.assertUnhurt("too-many-streams");
    },
  },
};

/** What a call of an unknown method gets, with its name in the message. */
const REFUSAL = frames
  .headers(1)
  .response(200, [["grpc-message", "x".repeat(200)]])
  .bytes()
  .subarray(9);

const unreadRefusals: Attack = {
  name: "calls of unknown methods whose answers nobody reads",
  cve: "CVE-2019-9517",
  rule: "a server does not read on while answers without data wait, beyond what streams may have waiting",
  options: ["maxUnreadAnswerBytes", "outputHighWaterBytes"],
  counter: "unread-answers",
  unit: "octets waiting",
  allowed: 800_000,
  off: { maxUnreadAnswerBytes: OFF },
  play: (options) => {
    const victim = new Victim("server", options, { isPeerDeaf: true });
    const { core } = victim;
    core.sink.react.onHeaders = (stream) => core.http2.sendHeaders(stream, REFUSAL, true);
    victim.flood(1_000, 10, (index) => request(1 + 2 * index, true));
    return { got: victim.waitingBytes(), core };
  },
  honest: {
    name: "100 answers at once with 5 KiB of metadata each while our socket is full",
    play: () => {
      const victim = new Victim("server", {}, { isPeerDeaf: true });
      const { core } = victim;
      const answer = frames
        .headers(1)
        .response(200, [["x-trace", "x".repeat(5_120)]])
        .bytes()
        .subarray(9);
      core.sink.react.onHeaders = (stream) => core.http2.sendHeaders(stream, answer, true);
      victim.feed(...Array.from({ length: 100 }, (_, index) => request(1 + 2 * index, true)));
      victim.assertUnhurt();
    },
  },
};

/** A server that knows none of the methods, and answers as one that does. */
function createStranger(options: Http2Options): Victim {
  const victim = new Victim("server", options);
  const { core } = victim;
  core.sink.react.onHeaders = (stream) => {
    core.http2.rejectRequest(stream, "request-rejected");
    core.http2.sendHeaders(stream, REFUSAL, true);
    core.http2.resetWhenDone(stream);
  };
  return victim;
}

const unknownMethods: Attack = {
  name: "calls of unknown methods, answered and read",
  cve: "CVE-2019-9514",
  rule: "each rejected request costs as much as a refusal, and earns nothing; in debt we stop reading until it has grown back",
  options: ["refusalBurst", "refusalsPerSecond"],
  counter: "request-rejected",
  unit: "rejected requests answered in a second",
  allowed: 14_200,
  off: { refusalBurst: OFF },
  play: (options) => {
    const victim = createStranger(options).flood(1_000, 40, (index) => request(1 + 2 * index, true));
    return { got: victim.countOf("HEADERS"), core: victim.core };
  },
  honest: {
    name: "an old client that calls a method which is gone 5,000 times at once, then 3,000 times a second for ten seconds",
    play: () => {
      const victim = createStranger({});
      const chunk = (from: number): Buffer[] =>
        Array.from({ length: 1_000 }, (_, index) => request(1 + 2 * (from + index), true));
      for (let from = 0; from < 5_000; from += 1_000) victim.feed(...chunk(from));
      victim.flood(10_000, 3, (index) => request(10_001 + 2 * index, true));
      if (victim.countOf("HEADERS") !== 35_000) throw new Error("not every call was answered");
      victim.assertUnhurt("request-rejected");
    },
  },
};

const closedStreams: Attack = {
  name: "frames on closed streams",
  cve: "CVE-2019-9514",
  rule: "late frames are ignored or end the connection; none is answered. DATA after our reset is credited and free",
  options: [],
  counter: "reset-by-peer",
  unit: "answers",
  allowed: 0,
  off: undefined,
  play: () => {
    const victim = new Victim("server");
    victim.feed(reset(1));
    victim.flood(100, 1_000, () => frames.rstStream(1, 8));
    return { got: victim.countOf("RST_STREAM"), core: victim.core };
  },
  honest: {
    name: "10,000 calls whose last 64 KiB were under way when we answered early with RST_STREAM(NO_ERROR)",
    play: () => {
      const victim = new Victim("server");
      for (let index = 0; index < 10_000; index++) {
        const id = 1 + 2 * index;
        victim.feed(request(id));
        victim.core.http2.sendHeaders(victim.core.stream(id), Buffer.of(0x88), true);
        victim.core.http2.resetWhenDone(victim.core.stream(id));
        for (let count = 0; count < 4; count++) victim.feed(frames.data(id, 16_384));
      }
      if (victim.core.http2.windows.held !== 0) throw new Error("late DATA was not credited");
      victim.assertUnhurt();
    },
  },
};

export const STREAM_ATTACKS: readonly Attack[] = [
  rapidResetOfWork,
  rapidReset,
  refusedStreams,
  madeYouReset,
  illegalAfterEnd,
  unreadResets,
  unreadRefusals,
  unknownMethods,
  closedStreams,
];
