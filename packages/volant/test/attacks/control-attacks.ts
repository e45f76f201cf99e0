/**
 * Attacks with frames that carry nothing: they cost an answer, a look at every stream, or time.
 */
import { frames } from "../../src/testing/frame-factory.ts";
import { type Attack, completeCalls, OFF, request, Victim } from "./attack.ts";

const unreadAnswers: Attack = {
  name: "PING and SETTINGS whose answers nobody reads",
  cve: "CVE-2019-9512, CVE-2019-9515",
  rule: "answers that wait for the socket pause reading; too many of them in one chunk end the connection",
  options: ["maxProvokedFrames", "maxUnsentAnswers"],
  counter: "ping-flood",
  unit: "octets waiting",
  allowed: 65_536,
  off: { maxProvokedFrames: OFF, maxUnsentAnswers: OFF },
  play: (options) => {
    const victim = new Victim("server", options, { isPeerDeaf: true });
    victim.flood(100, 5_000, () => PING);
    return { got: victim.waitingBytes(), core: victim.core };
  },
  honest: {
    name: "10,000 PINGs a second, read, for ten seconds: a bandwidth estimator on a fast link",
    play: () => new Victim("server").flood(10_000, 10, () => PING).assertUnhurt(),
  },
};

const PING = frames.ping().bytes();
const SETTINGS = frames.settings([4, 1_000]).bytes();

const settingsFlood: Attack = {
  name: "SETTINGS without end",
  cve: "CVE-2019-9515",
  rule: "each after the first costs ten glitches, because it may touch every stream",
  options: ["glitchBurst", "glitchesPerSecond"],
  counter: "settings",
  unit: "SETTINGS in a second",
  allowed: 1_100,
  off: { glitchBurst: OFF },
  play: (options) => {
    const victim = new Victim("server", options).flood(1_000, 10, () => SETTINGS);
    return { got: victim.read, core: victim.core };
  },
  honest: {
    name: "SETTINGS 30 times a second for a minute: a peer that tunes its window",
    play: () =>
      new Victim("server")
        .flood(60_000 / 33, 1, () => SETTINGS)
        .pass(1)
        .assertUnhurt("settings"),
  },
};

const settingsEntries: Attack = {
  name: "SETTINGS of very many parameters",
  cve: "CVE-2019-9515, CVE-2026-33814",
  rule: "parameters of one frame are capped, and every illegal value ends the connection",
  options: ["maxSettingsEntries"],
  counter: "settings-too-many-entries",
  unit: "parameters in one frame",
  allowed: 32,
  off: { maxSettingsEntries: 1_024 },
  play: (options) => {
    const entries = Array.from({ length: 1_000 }, () => [4, 65_535] as const);
    const victim = new Victim("server", options);
    victim.feed(frames.settings(...entries));
    return { got: victim.core.http2.isClosed ? 0 : entries.length, core: victim.core };
  },
  honest: {
    name: "32 parameters, most of them unknown here",
    play: () => {
      const victim = new Victim("server");
      victim.feed(frames.settings(...Array.from({ length: 32 }, (_, index) => [index + 8, 1] as const)));
      victim.assertUnhurt("settings");
    },
  },
};

const unknownFrames: Attack = {
  name: "frames of unknown type",
  cve: "glitches",
  rule: "ignored, a glitch each",
  options: ["glitchBurst", "glitchesPerSecond"],
  counter: "unknown-frame",
  unit: "frames in a second",
  allowed: 10_500,
  off: { glitchBurst: OFF },
  play: (options) => {
    const victim = new Victim("server", options);
    victim.flood(1_000, 100, (index) => frames.raw(0xa + (index % 0xf6), 0xff, index % 7));
    return { got: victim.read, core: victim.core };
  },
  honest: {
    name: "an extension frame with each of 30,000 calls, 10,000 calls a second",
    play: () => {
      const victim = new Victim("server");
      completeCalls(victim, 30_000, () => [EXTENSION]);
      victim.assertUnhurt("unknown-frame");
    },
  },
};

const EXTENSION = frames.raw(0x2a, 0, 0, Buffer.alloc(16)).bytes();

const priorityFlood: Attack = {
  name: "PRIORITY without end",
  cve: "CVE-2019-9513",
  rule: "no tree is kept; beyond a hundred, and a hundred for each stream, each is a glitch",
  options: ["glitchBurst", "glitchesPerSecond"],
  counter: "priority",
  unit: "frames in a second",
  allowed: 10_600,
  off: { glitchBurst: OFF },
  play: (options) => {
    const victim = new Victim("server", options);
    victim.flood(1_000, 100, (index) => frames.priority(1 + 2 * (index % 1_000), 0));
    return { got: victim.read, core: victim.core };
  },
  honest: {
    name: "a browser that begins with 50 PRIORITY frames and sends 50 more for each stream",
    play: () => {
      const victim = new Victim("server");
      victim.feed(...Array.from({ length: 50 }, (_, index) => frames.priority(3 + 2 * index, 0)));
      completeCalls(victim, 1_000, (id) => Array.from({ length: 50 }, () => frames.priority(id, 0).bytes()));
      victim.assertUnhurt();
    },
  },
};

const windowUpdates: Attack = {
  name: "WINDOW_UPDATE without end",
  cve: "CVE-2019-9511, CVE-2019-9517",
  rule: "one, two a stream and twenty a DATA frame are free; the rest spends a budget. Each costs O(1); they never pause reading",
  options: ["windowUpdateBurst", "windowUpdatesPerSecond"],
  counter: "window-update",
  unit: "frames in a second",
  allowed: 10_700,
  off: { windowUpdateBurst: OFF },
  play: (options) => {
    const victim = new Victim("server", options);
    victim.feed(...Array.from({ length: 100 }, (_, index) => request(1 + 2 * index)));
    victim.flood(1_000, 100, (index) => frames.windowUpdate(1 + 2 * (index % 100), 1));
    return { got: victim.read - 100, core: victim.core };
  },
  honest: {
    name: "10,000 DATA frames, each acknowledged on its stream and on the connection, an octet at a time ten times over",
    play: () => {
      const victim = new Victim("server");
      victim.feed(request(1), frames.windowUpdate(0, 0x3fff_ffff), frames.windowUpdate(1, 0x3fff_ffff));
      victim.core.http2.sendHeaders(victim.core.stream(1), Buffer.of(0x88), false);
      for (let index = 0; index < 10_000; index++) {
        victim.core.http2.sendData(victim.core.stream(1), Buffer.alloc(100), false);
        for (let piece = 0; piece < 10; piece++) victim.feed(frames.windowUpdate(0, 10), frames.windowUpdate(1, 10));
      }
      victim.assertUnhurt();
    },
  },
};

const windowDrip: Attack = {
  name: "a window that opens by an octet at a time",
  cve: "CVE-2019-9511",
  rule: "a frame that such a window cut short earns WINDOW_UPDATEs in proportion to its octets only",
  options: ["windowUpdateBurst", "windowUpdatesPerSecond"],
  counter: "window-update",
  unit: "DATA frames of one octet in a second",
  allowed: 11_500,
  off: { windowUpdateBurst: OFF },
  play: (options) => {
    const victim = new Victim("server", options);
    victim.feed(frames.settings([4, 0]), request(1, true));
    victim.core.http2.sendHeaders(victim.core.stream(1), Buffer.of(0x88), false);
    victim.core.http2.sendData(victim.core.stream(1), Buffer.alloc(60_000), true);
    victim.flood(1_000, 30, () => frames.windowUpdate(1, 1));
    return { got: victim.countOf("DATA"), core: victim.core };
  },
  honest: {
    name: "a small device that opens its window by 64 octets at a time, 40,000 times",
    play: () => {
      const victim = new Victim("server");
      victim.feed(frames.settings([4, 64]), request(1, true), frames.windowUpdate(0, 0x3fff_ffff));
      victim.core.http2.sendHeaders(victim.core.stream(1), Buffer.of(0x88), false);
      victim.core.http2.sendData(victim.core.stream(1), Buffer.alloc(2_600_000), true);
      for (let index = 0; index < 40_000; index++) victim.feed(frames.windowUpdate(1, 64));
      victim.assertUnhurt("settings");
    },
  },
};

const windowOverflow: Attack = {
  name: "a window beyond 2^31-1",
  cve: "CVE-2026-21714, CVE-2026-48937",
  rule: "GOAWAY and the end: later octets are not looked at, and nothing is armed any more",
  options: [],
  counter: "connection-window-overflow",
  unit: "frames read afterwards",
  allowed: 0,
  off: undefined,
  play: () => {
    const { core } = new Victim("server");
    core.receive(frames.windowUpdate(0, 0x7fff_ffff));
    core.events();
    core.sent();
    core.receive(request(1), PING);
    const isIdle = core.http2.nextTimeout() === Number.POSITIVE_INFINITY;
    return { got: core.events().length + core.sent().length + (isIdle ? 0 : 1), core };
  },
  honest: {
    name: "windows of exactly 2^31-1",
    play: () => {
      const victim = new Victim("server");
      victim.feed(
        request(1),
        frames.windowUpdate(0, 0x7fff_ffff - 65_535),
        frames.windowUpdate(1, 0x7fff_ffff - 65_535),
      );
      victim.assertUnhurt();
    },
  },
};

const goAways: Attack = {
  name: "GOAWAY without end",
  cve: "glitches",
  rule: "each after the first costs ten glitches, because it looks at every stream",
  options: ["glitchBurst", "glitchesPerSecond"],
  counter: "goaway",
  unit: "frames in a second",
  allowed: 1_100,
  off: { glitchBurst: OFF },
  play: (options) => {
    const victim = new Victim("client", options).flood(1_000, 10, () => frames.goAway(0x7fff_ffff, 0));
    return { got: victim.read, core: victim.core };
  },
  honest: {
    name: "a server that announces its end, lowers the last stream twice, and says why",
    play: () => {
      const victim = new Victim("client");
      for (const last of [0x7fff_ffff, 101, 51]) victim.feed(frames.goAway(last, 0, "max_age"));
      victim.assertUnhurt("goaway");
    },
  },
};

const push: Attack = {
  name: "PUSH_PROMISE",
  cve: "hostile server",
  rule: "push is off; a promise ends the connection",
  options: [],
  counter: "push-promise-received",
  unit: "streams promised",
  allowed: 0,
  off: undefined,
  play: () => {
    const victim = new Victim("client");
    victim.core.http2.sendHeaders(victim.core.http2.openStream(), [], false);
    victim.feed(frames.pushPromise(1, 2), frames.pushPromise(1, 4));
    return { got: victim.core.http2.isClosed ? 0 : victim.core.http2.streamCount, core: victim.core };
  },
  honest: {
    name: "a server that announces that push is off too",
    play: () => {
      const victim = new Victim("client");
      victim.feed(frames.settings([2, 0]));
      victim.assertUnhurt("settings");
    },
  },
};

export const CONTROL_ATTACKS: readonly Attack[] = [
  unreadAnswers,
  settingsFlood,
  settingsEntries,
  unknownFrames,
  priorityFlood,
  windowUpdates,
  windowDrip,
  windowOverflow,
  goAways,
  push,
];
