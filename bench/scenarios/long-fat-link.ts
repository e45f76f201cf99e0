// Owns: which share of a link of 100 Mbit/s with a round trip of 100 ms one stream takes, up and down, from a cold connection
// on: our server and our client with their defaults, and with windows that do not grow, for comparison.
// The link is network/delayed-link.ts, which bounds both directions; the share counts octets of text only, so it is at most
// a percent too low.

import { join } from "node:path";
import { Channel, type ChannelOptions, createClient } from "volant";
import { UserService } from "../../services/users/src/gen/user_pb.ts";
import type { RunOptions, Scenario } from "../lib/scenario.ts";
import { type ServerProcess, startServer } from "../lib/server-process.ts";
import { findTarget, judge, type Row } from "../lib/targets.ts";

const DELAY_MS = 50;
const BITS_PER_SECOND = 100_000_000;
const TEXT_BYTES = 4_000;
/** Long enough for a connection to find out what its link can carry, and to make use of it. */
const MIN_SECONDS = 20;
const FOLDER = join(import.meta.dirname, "..");
const FIXED: ChannelOptions = { http2: { maxStreamWindowBytes: 1, maxConnectionWindowBytes: 1 } };

export const longFatLink: Scenario = { name: "long-fat-link", run: runLongFatLink };

async function runLongFatLink({ durationSeconds, log }: RunOptions): Promise<Row[]> {
  const seconds = Math.max(MIN_SECONDS, durationSeconds);
  const processes: ServerProcess[] = [];
  try {
    const server = await startServer("volant", join(FOLDER, "servers", "volant-bulk.ts"), {
      args: [String(TEXT_BYTES)],
    });
    processes.push(server);
    const link = await startServer("link", join(FOLDER, "network", "delayed-link.ts"), {
      args: [server.port, DELAY_MS, BITS_PER_SECOND].map(String),
    });
    processes.push(link);
    const download = await measure(link.port, receiveMessages, seconds);
    const upload = await measure(link.port, sendMessages, seconds);
    const fixed = await measure(link.port, receiveMessages, seconds / 2, FIXED);
    log(`download ${percent(download)}, upload ${percent(upload)}, download with fixed windows ${percent(fixed)}`);
    return [
      judge(findTarget("long-fat-link", "the link: download"), { ours: download * 100 }),
      judge(findTarget("long-fat-link", "the link: upload"), { ours: upload * 100 }),
    ];
  } finally {
    for (const each of processes.reverse()) await each.stop();
  }
}

type Transfer = (channel: Channel, seconds: number) => Promise<number>;

/** The share of the link that messages took on a connection of their own. */
async function measure(port: number, transfer: Transfer, seconds: number, options?: ChannelOptions): Promise<number> {
  await using channel = new Channel(`127.0.0.1:${port}`, options);
  const startedMs = performance.now();
  const messages = await transfer(channel, seconds);
  const elapsedSeconds = (performance.now() - startedMs) / 1_000;
  return (messages * TEXT_BYTES * 8) / elapsedSeconds / BITS_PER_SECOND;
}

async function receiveMessages(channel: Channel, seconds: number): Promise<number> {
  const untilMs = performance.now() + seconds * 1_000;
  let messages = 0;
  for await (const _user of createClient(UserService, channel).streamUsers({})) {
    messages++;
    if (performance.now() >= untilMs) break;
  }
  return messages;
}

/** The server's answer, behind the last message, says how many arrived. */
async function sendMessages(channel: Channel, seconds: number): Promise<number> {
  const untilMs = performance.now() + seconds * 1_000;
  const request = { name: "x".repeat(TEXT_BYTES) };
  const call = createClient(UserService, channel).createUserStream();
  while (performance.now() < untilMs) await call.send(request);
  call.end();
  return (await call).createdCount;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
