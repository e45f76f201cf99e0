// Preloaded into a server under test (`--import`): on SIGUSR2 it prints `longest turn MILLISECONDS` of its event loop since the last
// time. A timer of a millisecond is late by what the turn before it took.

import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 1;

const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();

process.on("SIGUSR2", () => {
  console.log(`longest turn ${Math.max(0, delays.max / 1e6 - RESOLUTION_MS)}`);
  delays.reset();
});
