/**
 * `docs/limits.md` out of the attack list and the option table, so that neither can drift. Owns the text around the table.
 *
 *   node packages/volant/test/attacks/limits-document.ts      writes it
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { OPTION_RULES } from "../../src/http2/options.ts";
import { SERVER_LIMITS, type ServerLimit } from "../../src/server/server-options.ts";
import type { Attack, OptionName } from "./attack.ts";
import { ATTACKS } from "./attack-list.ts";
import type { ServerAttack } from "./server-attack.ts";
import { SERVER_ATTACKS } from "./server-attacks.ts";

export const LIMITS_FILE: string = join(import.meta.dirname, "../../../../docs/limits.md");

export function attackTestName({ name, unit, allowed }: Attack | ServerAttack): string {
  return `${name} gets at most ${count(allowed)} ${unit}`;
}

export function honestTestName({ honest }: Attack | ServerAttack): string {
  return `unhurt: ${honest.name}`;
}

const INTRODUCTION = `# Limits

What peers may do to us. The numbers of the first table are options of \`Http2Options\` (\`http2\` of a server or channel) and
hold for one connection; those of the second are options of \`ServerOptions\`, \`writeStallTimeoutMs\` also of a channel.

- A budget grows back: with time, and by one for each call that completed normally. Nothing is counted for life.
- Order of defence: new streams are refused with REFUSED_STREAM, then reading pauses, then GOAWAY with ENHANCE_YOUR_CALM.
  The debug data of a GOAWAY names the cause: \`<counter>-flood\`.
- Counters are keys of \`server.stats().faults\` and \`channel.stats().faults\`, summed over all connections, live and gone.
- The sizes of header lists hold in both directions: nothing is sent that the peer did not say it takes, see
  [client.md](client.md#size-of-headers-and-trailers).
- Of each row there are two tests in \`packages/volant/test/attacks\`, the attack and the honest peer that comes closest to
  it. \`npm run conformance -- --suite attacks\` runs each attack with its limit and without it: without, it must succeed.
  Those on a server it runs in memory and through TLS on real sockets.

This file is written by \`packages/volant/test/attacks/limits-document.ts\`; a test fails when it is not up to date.

`;

const STALLED_READERS = `
## Readers that do not read

While a stream's window is shut, its own or the connection's, its handler's iterable is asked for one message, which waits encoded;
the next is asked for when that has left. So a stream whose reader takes nothing costs its objects, the generator of the handler
and one message: with messages of 100 bytes 8 to 9 KB, with messages of 16 KB 25 to 26 KB, and a unary answer of 16 KB 24 KB, heap and memory outside
it together (\`npm run conformance -- --suite stalled-readers\` measures it). What a handler reads ahead itself comes on top.

- What waits is bounded for the whole process by \`maxUnsentBytes\`, of which one client has as much as it leaves to others. A
  message that would have to wait and finds no room ends its call with RESOURCE_EXHAUSTED. Unary answers count too.
- A stream for which something waits is cut when its reader takes less than a KiB in \`streamStallTimeoutMs\`. What it took beyond
  is saved up, as far as 32 KiB: most peers tell of what they took half a window, 32 KiB, at a time, and a server hears of nothing
  else. The window that a stream begins with counts for nothing. So a reader that has never told of anything is gone in 60 to
  120 s, one that has told of 32 KiB and then stops in 33 min. A silent stream, for which nothing waits, is never cut.
- Consumers that pause for longer on purpose, a bidirectional stream with backpressure for instance, or that are slower than that
  and have small windows, need a longer \`streamStallTimeoutMs\`; Infinity turns it off, and what they hold stays bounded.
- The handler's signal fires with the reason, the call is CANCELLED by the server, and the counter is \`stream-stalled\`.
- A client holds what its own calls send: one message a stream behind a shut window, and nothing is counted or cut there but by
  deadlines and \`writeStallTimeoutMs\`.
`;

const OTHER_LIMITS = `
## Off by default

| Option | What it bounds |
| --- | --- |
| \`maxConnections\`, \`maxConnectionsPerAddress\` | connections at once, sockets in their TLS handshake among them |
| \`maxCallDurationMs\` | how long a call may take, whatever deadline it came with |
| \`maxConnectionAgeMs\`, \`maxConnectionAgeGraceMs\` | how long a connection and its last calls live; debug data \`max_age\` |
| \`maxConnectionIdleMs\` | how long a connection lives without calls; debug data \`max_idle\` |
`;

/** Figures of `npm run bench -- --scenario decode-worst`, whose targets bound the worst of both columns. */
const DECODING = `
## What a message costs

What a message decodes to is bounded by \`maxDecodedValues\`, an option of servers and channels: a quarter of \`maxReceiveMessageBytes\`, 1,048,576
for 4 MiB. Text in a list, an entry of a map and a message count one each, a message that is merged counts again, bytes and an unknown field
that is kept count two, and a message counts one more for every four fields of its type. Numbers do not count: their bytes bound them.

Over the nastiest messages of 4 MiB that we could make, decoding takes at most 160 ms of one processor for each MiB, and 135 MB of heap for the whole
message; where a server keeps unknown fields, 195 MB. \`npm run bench -- --scenario decode-worst\` measures some ninety inputs: all wire types, groups,
packed lists, Any, Struct, messages that are merged, text that is not UTF-8, unknown fields kept and dropped, maps with keys that were chosen to be slow,
and deep nesting. Node 24, a shared machine of two cores; the message is whole, in memory, and decoded at once:

| Message of 4 MiB | ms of processor for each MiB | MB of heap, garbage included |
| --- | --- | --- |
| a list in each entry of a Struct (refused on the way) | 155 | 79 |
| a map with distinct texts as keys | 135 | 49 |
| a map with distinct integers of 64 bits as keys | 124 | 67 |
| bytes in a list (refused on the way) | 92 | 122 |
| a map of messages with 150 fields (refused on the way) | 61 | 117 |
| a map with integer keys in a row, then far apart | 60 | 47 |
| packed integers of 64 bits | 80 | 71 |
| empty messages in a list (refused on the way) | 40 | 73 |
| unknown fields of two bytes, dropped | 4 | 0 |
`;

const COLUMNS = ["Attack", "CVE", "Rule", "Options and defaults", "Counter", "Test: attack", "Test: honest extreme"];

export function renderLimits(): string {
  const core = ATTACKS.map((attack) => rowOf(attack, attack.options.map(optionText)));
  const server = SERVER_ATTACKS.map((attack) => rowOf(attack, attack.options.map(serverOptionText)));
  return `${INTRODUCTION}## Of a connection\n\n${tableOf(core)}\n## Of a server\n\n${tableOf(server)}${STALLED_READERS}${DECODING}${OTHER_LIMITS}`;
}

function rowOf(attack: Attack | ServerAttack, options: readonly string[]): readonly string[] {
  return [
    attack.name,
    attack.cve,
    attack.rule,
    options.length === 0 ? "none: a rule of the protocol" : options.join("<br>"),
    `\`${attack.counter}\``,
    attackTestName(attack),
    honestTestName(attack),
  ];
}

function tableOf(rows: readonly (readonly string[])[]): string {
  return [COLUMNS, COLUMNS.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

function optionText(name: OptionName): string {
  return `\`${name}\` ${count(OPTION_RULES[name].initial)}`;
}

function serverOptionText(option: ServerAttack["options"][number]): string {
  const [name = "", value] = option.split(" ");
  return `\`${name}\` ${value ?? count(SERVER_LIMITS[name as ServerLimit].initial)}`;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

if (import.meta.main) writeFileSync(LIMITS_FILE, renderLimits());
