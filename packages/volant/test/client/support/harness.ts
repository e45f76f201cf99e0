/**
 * What most tests of the client start from: a channel to a scripted peer or to our own server, closed after the test, with
 * nothing left behind.
 */
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import type { TestContext } from "node:test";
import {
  Channel,
  type ChannelOptions,
  type Client,
  createClient,
  RpcError,
  Server,
  type ServerOptions,
  type StatusCode,
  statusName,
} from "volant";
import { ClientStream } from "../../../src/client/client-stream.ts";
import { realTime } from "../../../src/transport/time.ts";
import { timerWheel, type WheelTimer } from "../../../src/transport/timer-wheel.ts";
import { type EchoHandlers, EchoService, echoHandlers } from "./echo-service.ts";
import { ScriptedPeer } from "./scripted-peer.ts";

export type EchoClient = Client<typeof EchoService>;

export interface Fixture {
  readonly channel: Channel;
  readonly client: EchoClient;
}

export function openChannel(t: TestContext, target: string, options: ChannelOptions = {}): Fixture {
  const unseen: unknown[] = [];
  const channel = new Channel(target, { onError: (error) => unseen.push(error), ...options });
  t.after(async () => {
    await channel.close();
    assert.equal(channel.pendingCount, 0, "calls still wait");
    assert.deepEqual(unseen, [], "errors that no caller saw");
  });
  return { channel, client: createClient(EchoService, channel) };
}

export async function withPeer(
  t: TestContext,
  options: ChannelOptions = {},
): Promise<Fixture & { peer: ScriptedPeer }> {
  const peer = await ScriptedPeer.listen();
  t.after(() => peer.close());
  return { peer, ...openChannel(t, peer.target, options) };
}

export async function withServer(
  t: TestContext,
  handlers: Partial<EchoHandlers> = {},
  options: ChannelOptions = {},
  serverOptions: ServerOptions = {},
): Promise<Fixture & { server: Server; port: number }> {
  const server = new Server({ onError: () => undefined, ...serverOptions });
  server.add(EchoService, { ...echoHandlers, ...handlers });
  const { port } = await server.listen({ port: 0, host: "127.0.0.1" });
  t.after(() => server.close());
  return { server, port: port!, ...openChannel(t, `127.0.0.1:${port}`, options) };
}

/** The error that a call ends with, which must have this code. */
export async function failure(call: PromiseLike<unknown>, code: StatusCode): Promise<RpcError> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    assert.equal(error.codeName, statusName(code), error.message);
    return error;
  }
  assert.fail(`the call succeeded instead of ending with ${statusName(code)}`);
}

/** What an iteration gave before it ended, and the error it ended with. */
export async function drained(calls: AsyncIterable<{ value: string }>): Promise<{ values: string[]; error: unknown }> {
  const values: string[] = [];
  try {
    for await (const { value } of calls) values.push(value);
  } catch (error) {
    return { values, error };
  }
  return { values, error: undefined };
}

/** Everything that an iteration gives; rejects where it fails. */
export async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export function listenerCount(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}

export function armedTimers(): number {
  return timerWheel.size;
}

/** The deadlines of all calls fire now, so that no test has to guess how long it takes to get where it wants to be. */
export function letDeadlinesPass(): void {
  const { slots } = timerWheel as unknown as { slots: readonly (WheelTimer | undefined)[] };
  const deadlines: ClientStream[] = [];
  for (const first of slots) {
    for (let timer = first; timer !== undefined; timer = timer.next) {
      if (timer instanceof ClientStream) deadlines.push(timer);
    }
  }
  assert.ok(deadlines.length > 0, "no call has a deadline");
  for (const deadline of deadlines) timerWheel.arm(deadline, performance.now());
}

/** As long as the runner's own limit lets us: however slow the machine is, only a condition that never comes fails. */
const PATIENCE_MS = 100_000;

/** Resolves once the condition holds; it is looked at after every turn of the loop. */
export async function until(condition: () => boolean): Promise<void> {
  const giveUpMs = realTime.monotonicMs() + PATIENCE_MS;
  while (!condition()) {
    if (realTime.monotonicMs() > giveUpMs) assert.fail(`this never came true: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
