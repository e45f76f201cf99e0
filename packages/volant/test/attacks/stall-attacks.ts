/**
 * Attacks by readers that do not read: what waits for them stays in our memory for as long as they like. CVE-2026-49975,
 * CVE-2019-9517.
 */
import type { Http2Options } from "../../src/http2/options.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { type Attack, OFF, type Outcome, request, Victim } from "./attack.ts";

const STATUS = [{ name: "grpc-status", value: "0", indexing: 0 }] as const;
const HOUR_MS = 3_600_000;

/** A server whose peer has given its streams a window of zero, with stream 1 begun. */
function victimWithShutWindow(options: Http2Options = {}): Victim {
  const victim = new Victim("server", options);
  victim.feed(frames.settings([4, 0]), request(1, true));
  victim.core.http2.sendHeaders(victim.core.stream(1), Buffer.of(0x88), false);
  return victim;
}

/** How many seconds out of ten minutes stream 1 stays with us. */
function secondsHeld(victim: Victim, eachSecond: (second: number) => void): Outcome {
  const stream = victim.core.stream(1);
  let got = 0;
  for (; got < 600 && !stream.isClosed; got++) {
    victim.pass(1_000);
    eachSecond(got);
  }
  return { got, core: victim.core };
}

/** A finished answer of 60,000 bytes. */
function finishedAnswer(options: Http2Options = {}): Victim {
  const victim = victimWithShutWindow(options);
  const stream = victim.core.stream(1);
  victim.core.http2.sendData(stream, Buffer.alloc(60_000), false);
  victim.core.http2.sendTrailers(stream, STATUS);
  return victim;
}

/** A handler that has always more to say, in messages of that many bytes, and waits when it is told to. */
function writeForever({ core }: Victim, bytes: number): void {
  const write = (): void => {
    while (core.http2.sendData(core.stream(1), Buffer.alloc(bytes), false));
  };
  core.sink.react.onWritable = write;
  write();
}

const finished: Attack = {
  name: "a window of zero, or of a byte every ten seconds, under a finished answer",
  cve: "CVE-2026-49975, CVE-2019-9517",
  rule: "a stream for which something waits, and of which the peer takes less than a KiB in a period, is reset with CANCEL",
  options: ["streamStallTimeoutMs"],
  counter: "stream-stalled",
  unit: "seconds of a finished answer in memory",
  allowed: 180,
  off: { streamStallTimeoutMs: OFF },
  play: (options) => {
    const victim = finishedAnswer(options);
    return secondsHeld(victim, (second) => {
      if (second % 10 === 0) victim.feed(frames.windowUpdate(1, 1));
    });
  },
  honest: {
    name: "a peer on a very slow link that takes 200 bytes a second, and an answer that waits after a silent hour",
    play: () => {
      const victim = finishedAnswer();
      const slow = secondsHeld(victim, () => victim.feed(frames.windowUpdate(1, 200)));
      if (slow.got < 290 || victim.counted("stream-stalled") > 0) throw new Error("it was cut off");
      const late = victimWithShutWindow().pass(HOUR_MS);
      late.core.http2.sendData(late.core.stream(1), Buffer.alloc(10), true);
      late.pass(59_000).feed(frames.windowUpdate(1, 10));
      late.assertUnhurt("settings");
    },
  },
};

const unfinished: Attack = {
  name: "a window of zero, or of 60 bytes every ten seconds, under a stream whose writer waits",
  cve: "CVE-2026-49975, CVE-2019-9517",
  rule: "a writer that waits for its reader counts as what waits. What a reader takes beyond a KiB in a period is saved up, as far as 32 KiB, for the periods that follow. A stream for which nothing waits is not judged, nor is one that waits for the socket",
  options: ["streamStallTimeoutMs"],
  counter: "stream-stalled",
  unit: "seconds of a handler that waits",
  allowed: 180,
  off: { streamStallTimeoutMs: OFF },
  play: (options) => {
    const victim = victimWithShutWindow(options);
    // Of twenty bytes each, so that its queue is empty every ten seconds.
    writeForever(victim, 20);
    return secondsHeld(victim, (second) => {
      if (second % 10 === 0) victim.feed(frames.windowUpdate(1, 60));
    });
  },
  honest: {
    name: "a reader that has taken half a window and says so again every half an hour, a chat that is silent for a day, and a poll answered after an hour",
    play: () => {
      const slow = new Victim("server");
      slow.feed(request(1, true), frames.windowUpdate(0, 0x7fff_ffff - 65_535));
      slow.core.http2.sendHeaders(slow.core.stream(1), Buffer.of(0x88), false);
      writeForever(slow, 1_000);
      slow.pass(50_000).feed(frames.windowUpdate(1, 32_768));
      for (let round = 0; round < 48; round++) {
        for (let minute = 0; minute < 30; minute++) slow.pass(60_000);
        slow.feed(frames.windowUpdate(1, 32_768));
      }
      slow.assertUnhurt();
      const silent = victimWithShutWindow();
      silent.feed(frames.windowUpdate(1, 100));
      silent.core.http2.sendData(silent.core.stream(1), Buffer.alloc(100), false);
      for (let hour = 0; hour < 24; hour++) silent.pass(HOUR_MS);
      silent.assertUnhurt("settings");
      const poll = victimWithShutWindow().pass(HOUR_MS);
      poll.core.http2.sendData(poll.core.stream(1), Buffer.alloc(100), false);
      poll.pass(59_000).feed(frames.windowUpdate(1, 100));
      poll.core.http2.sendTrailers(poll.core.stream(1), STATUS);
      poll.pass(HOUR_MS).assertUnhurt("settings");
    },
  },
};

export const STALL_ATTACKS: readonly Attack[] = [finished, unfinished];
