/**
 * The two soak cases of gRPC's interop suite from the client's side: large unary calls, over one channel or each over its
 * own. Owns the count; what one call is, is in `interop-cases.ts`.
 */
import assert from "node:assert/strict";
import type { Channel } from "volant";
import { INTEROP_CASES } from "./interop-cases.ts";

export interface SoakOptions {
  readonly iterations: number;
  /** Calls at a time. */
  readonly width: number;
  /** Longer than this a call failed. */
  readonly maxLatencyMs: number;
}

/** Throws where a call failed or took too long. */
export async function soak(call: () => Promise<void>, { iterations, width, maxLatencyMs }: SoakOptions): Promise<void> {
  let started = 0;
  let slowestMs = 0;
  const worker = async (): Promise<void> => {
    while (started < iterations) {
      started++;
      const startMs = performance.now();
      await call();
      slowestMs = Math.max(slowestMs, performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  assert.ok(slowestMs <= maxLatencyMs, `a call took ${Math.round(slowestMs)} ms, ${maxLatencyMs} are allowed`);
}

/** `rpc_soak`: one channel for all. */
export async function rpcSoak(connect: () => Channel, options: SoakOptions): Promise<void> {
  await using channel = connect();
  await soak(() => INTEROP_CASES.large_unary(channel), options);
}

/** `channel_soak`: a channel for each call. */
export function channelSoak(connect: () => Channel, options: SoakOptions): Promise<void> {
  return soak(async () => {
    await using channel = connect();
    await INTEROP_CASES.large_unary(channel);
  }, options);
}
