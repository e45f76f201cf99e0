/**
 * Attacks with DATA that is sent: more frames than content, and padding.
 */
import { frames } from "../../src/testing/frame-factory.ts";
import { type Attack, drip, OFF, request, Victim } from "./attack.ts";

const empty = frames.data(1, "").bytes();

const emptyData: Attack = {
  name: "DATA of nothing",
  cve: "CVE-2019-9518",
  rule: "a frame without octets and without END_STREAM costs ten glitches and reaches nobody",
  options: ["glitchBurst", "glitchesPerSecond"],
  counter: "empty-data",
  unit: "frames in a second",
  allowed: 1_100,
  off: { glitchBurst: OFF },
  play: (options) => {
    const victim = new Victim("server", options);
    victim.feed(request(1));
    victim.flood(1_000, 10, () => empty);
    return { got: victim.read - 1, core: victim.core };
  },
  honest: {
    name: "30 calls a second with an empty DATA in front of their content and one for their end, for ten minutes",
    play: () => {
      const victim = new Victim("server");
      for (let index = 0; index < 18_000; index++) {
        const id = 1 + 2 * index;
        victim.feed(request(id), frames.data(id, ""), frames.data(id, "x"), frames.data(id, "").endStream());
        victim.core.http2.sendHeaders(victim.core.stream(id), Buffer.of(0x88), true);
        victim.pass(33);
      }
      victim.assertUnhurt("empty-data");
    },
  },
};

const tinyData: Attack = {
  name: "DATA of one octet that nobody consumes",
  cve: "RUSTSEC-2026-0258, GHSA-q83h-524g-xf6h",
  rule: "the core keeps no DATA; frames under 256 octets not consumed yet are counted, and beyond the limit are glitches",
  options: ["maxTinyDataFrames", "glitchBurst", "glitchesPerSecond", "glitchDebtTimeoutMs"],
  counter: "tiny-data",
  unit: "frames held",
  allowed: 65_000,
  off: { maxTinyDataFrames: OFF },
  play: (options) => {
    const victim = new Victim("server", { ...options, initialStreamWindowBytes: 1_048_576 });
    victim.feed(request(1));
    victim.flood(500, 1_000, () => DRIP);
    return { got: victim.read - 1, core: victim.core };
  },
  honest: {
    name: "10,000 messages of 20 to 600 octets on 100 streams for a slow application, and a window full of empty messages",
    play: () => {
      const ids = Array.from({ length: 100 }, (_, index) => 1 + 2 * index);
      const victim = new Victim("server");
      victim.feed(...ids.map((id) => request(id)));
      for (let round = 0; round < 100; round++) {
        victim.feed(...ids.map((id, index) => frames.data(id, 20 + ((index * 7 + round * 13) % 581))));
        if (round % 10 === 9) consumeAll(victim, ids);
      }
      victim.assertUnhurt();
      const full = new Victim("server");
      full.feed(...ids.map((id) => request(id)));
      for (let round = 0; round < 2_097; round++) full.feed(...ids.map((id) => frames.data(id, 5)));
      full.assertUnhurt();
      consumeAll(full, ids);
    },
  },
};

const DRIP = frames.data(1, "x").bytes();

function consumeAll(victim: Victim, ids: readonly number[]): void {
  for (const id of ids) {
    const stream = victim.core.stream(id);
    // Message by message, as an application does.
    while (stream.receiveWindow.held > 0 && !victim.core.http2.isClosed) {
      victim.core.http2.consume(stream, Math.min(100, stream.receiveWindow.held));
    }
  }
  victim.pass(1);
}

const padding: Attack = {
  name: "padding that takes window and gives none back",
  cve: "h2 0.4.14 and 0.4.15 window leaks",
  rule: "padding as long as its frame ends the connection; any other is credited to both windows at once",
  options: [],
  counter: "data-padding-too-long",
  unit: "octets of window lost",
  allowed: 0,
  off: undefined,
  play: () => {
    const victim = new Victim("server");
    victim.feed(request(1));
    victim.flood(100, 10, () => frames.data(1, "").padded(255));
    const { held } = victim.core.http2.windows;
    victim.pass(60_000).feed(frames.raw(0x0, 0x8, 1, Buffer.of(9)));
    return { got: held, core: victim.core };
  },
  honest: {
    name: "256 MiB in frames padded by 255 octets each",
    play: () => {
      const victim = new Victim("server");
      victim.feed(request(1));
      const frame = frames.data(1, 16_000).padded(255).bytes();
      for (let index = 0; index < 16_384; index++) {
        victim.feed(frame);
        victim.core.http2.consume(victim.core.stream(1), 16_000);
      }
      if (victim.core.http2.windows.held !== 0) throw new Error("padding was not credited");
      victim.assertUnhurt();
    },
  },
};

const largeData = frames.data(1, 16_384).bytes();

const slowFrame: Attack = {
  name: "a DATA frame that is sent an octet a second, or stops in the middle",
  cve: "slowloris",
  rule: "a frame that is not complete gains a KiB in each period, of whatever type it is; time in which we do not read is not counted",
  options: ["frameTimeoutMs"],
  counter: "frame-timeout",
  unit: "seconds of a connection",
  allowed: 20,
  off: { frameTimeoutMs: OFF },
  play: (options) => {
    const victim = new Victim("server", options);
    victim.feed(request(1));
    const dripped = drip(victim, largeData);
    const stopped = new Victim("server", options);
    stopped.feed(request(1), largeData.subarray(0, 8_000));
    let seconds = 0;
    for (; seconds < 1_000 && stopped.isReading; seconds++) stopped.pass(1_000);
    return { got: Math.max(dripped, seconds), core: victim.core };
  },
  honest: {
    name: "a DATA frame of 16 KiB over a link of 100 octets a second, and one over 2 KiB a second with an outage of 19 seconds after each",
    play: () => {
      const victim = new Victim("server");
      victim.feed(request(1));
      const send = (octets: number, pauseMs: number): void => {
        for (let at = 0; at < largeData.length; at += octets) {
          victim.feed(largeData.subarray(at, at + octets));
          victim.pass(pauseMs);
        }
      };
      send(100, 1_000);
      send(2_048, 19_000);
      victim.assertUnhurt();
    },
  },
};

export const DATA_ATTACKS: readonly Attack[] = [emptyData, tinyData, padding, slowFrame];
