// Owns: the comparison of servers that take or echo streams: ours against grpc-js with the same handlers, which iterate, and then
// with listeners, which are faster there and have no counterpart here. Both servers of a comparison live through all of it.
// Must not know: what is sent.

import { join } from "node:path";
import { judgeGenerator, measurePairs, type Sample } from "./pairs.ts";
import { installPeer } from "./peer-install.ts";
import type { RunOptions } from "./scenario.ts";
import { type ServerProcess, startServer } from "./server-process.ts";
import { findTarget, judge, type Row } from "./targets.ts";

const OURS = join(import.meta.dirname, "..", "servers", "volant-users.ts");
const PEERS = [
  { peer: "grpc-js", args: [] },
  { peer: "grpc-js with listeners", args: ["listeners"] },
] as const;

type Measure = () => Promise<Sample>;

/** `prepare` warms a server up and returns what measures it. */
export async function compareStreamingServers(
  scenario: string,
  options: RunOptions,
  prepare: (server: ServerProcess) => Promise<Measure>,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { peer, args } of PEERS) {
    const servers: ServerProcess[] = [];
    try {
      servers.push(await startServer("volant", OURS));
      servers.push(await startServer(peer, join(installPeer("grpc-js"), "server.mjs"), { args }));
      const ours = await prepare(servers[0]!);
      const theirs = await prepare(servers[1]!);
      const result = await measurePairs(options.pairs, ours, theirs, (pair, label) => {
        const [our, their] = [Math.round(pair.ours.value), Math.round(pair.theirs.value)];
        const load = Math.round((pair.ours.generatorLoad ?? 0) * 100);
        options.log(`${label}: ${our} / ${their} msg/s = ${pair.ratio.toFixed(2)}x, generator at ${load} %`);
      });
      rows.push(judge(findTarget(scenario, peer), { ...result, ...judgeGenerator(result) }));
    } finally {
      for (const server of servers) await server.stop();
    }
  }
  return rows;
}
