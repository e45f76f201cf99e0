/** What tests of retries share: a policy that waits for next to nothing, and answers that fail an attempt. */
import type { TestContext } from "node:test";
import type { ChannelOptions, RetryOptions } from "volant";
import type { Fields } from "../../../src/testing/frame-factory.ts";
import { type Fixture, withPeer } from "./harness.ts";
import type { PeerConnection, ScriptedPeer } from "./scripted-peer.ts";

export const AT_ONCE = { initialMs: 1, maxMs: 1 };

/** A channel that retries every method, to a peer. */
export function withRetries(
  t: TestContext,
  retry: RetryOptions = {},
  more: ChannelOptions = {},
): Promise<Fixture & { peer: ScriptedPeer }> {
  return withPeer(t, { retry: { backoff: AT_ONCE, methods: "all", ...retry }, ...more });
}

/** The connection once the request of a unary call has arrived on its first stream. */
export async function firstRequest(peer: ScriptedPeer): Promise<PeerConnection> {
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA 1 .*end/);
  return connection;
}

/** Trailers-Only. */
export function refuse(connection: PeerConnection, streamId: number, status = "14", more: Fields = []): void {
  connection.write(connection.headers(streamId, [["grpc-status", status], ...more]).endStream());
}

export function headersSeen(connection: PeerConnection): string[] {
  return connection.log.filter((line) => line.startsWith("HEADERS"));
}
