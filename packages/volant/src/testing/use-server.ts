/**
 * A server and a client for one test of `node:test`, and the proof that the test left nothing behind: no socket, stream,
 * handler, timer of the wheel or octet of the budget, and no error that nobody looked at. Owns their life and that check.
 *
 *   const lab = await useServer(t, (server) => server.add(Lab, handlers));
 *   const client = lab.client(Lab);
 */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { DescService } from "@bufbuild/protobuf";
import { Channel } from "../client/channel.ts";
import type { ChannelOptions } from "../client/channel-options.ts";
import { type Client, createClient } from "../client/create-client.ts";
import { checkOptions, type OptionTable } from "../rpc/option-names.ts";
import { Server } from "../server/server.ts";
import type { ServerOptions } from "../server/server-options.ts";
import { processBudget } from "../stream/buffer-budget.ts";
import { realTime, setImmediate } from "../transport/time.ts";
import { timerWheel } from "../transport/timer-wheel.ts";
import { createTestChannel } from "./test-channel.ts";

export interface UseServerOptions {
  readonly server?: ServerOptions;
  readonly channel?: ChannelOptions;
  /** How the client reaches the server; without TCP the server has no port. Default "tcp". */
  readonly over?: "tcp" | "unix" | "memory";
}

/** The server and the channel check their own. */
const USE_SERVER_OPTIONS = {
  server: true,
  channel: true,
  over: "string",
} as const satisfies OptionTable<UseServerOptions>;

/** What is open at one moment. */
interface Footprint {
  readonly sockets: number;
  readonly timers: number;
  readonly bufferedBytes: number;
}

/** Far longer than anything here takes, also on a busy machine: only so that a test that waits in vain says for what. */
const GIVE_UP_MS = 100_000;
/** Also where a test has replaced the clock. */
const realNow: () => number = realTime.monotonicMs;
const SOCKETS = new Set(["TCPSocketWrap", "TCPServerWrap", "PipeWrap", "PipeServerWrap", "TCPWRAP", "PIPEWRAP"]);

export class Lab {
  readonly server: Server;
  /** What the server gave to `onError` since the last {@link takeErrors}. */
  private errors: unknown[] = [];
  private readonly options: UseServerOptions;
  private readonly channels: Channel[] = [];
  private readonly deferred: (() => unknown)[] = [];
  /** Where a client of any make can connect; "memory" where none can. */
  target = "memory";
  port = 0;
  path = "";

  constructor(options: UseServerOptions) {
    this.options = options;
    this.server = new Server({ onError: (error) => this.errors.push(error), ...options.server });
  }

  /** Listens where `over` says. */
  async open(): Promise<void> {
    const { over = "tcp" } = this.options;
    if (!["tcp", "unix", "memory"].includes(over)) {
      throw new TypeError(`useServer(): over: ${JSON.stringify(over)} given, "tcp", "unix" or "memory" is allowed`);
    }
    if (over === "tcp") {
      this.port = (await this.server.listen({ port: 0, host: "127.0.0.1" })).port;
      this.target = `127.0.0.1:${this.port}`;
    } else if (over === "unix") {
      const folder = await mkdtemp(join(tmpdir(), "volant-"));
      this.path = join(folder, "server.sock");
      this.target = `unix:${this.path}`;
      await this.server.listen({ path: this.path });
      this.defer(() => rm(folder, { recursive: true }));
    }
  }

  /** A channel that is closed at the end of the test. */
  channel(options: ChannelOptions = this.options.channel ?? {}): Channel {
    const { over = "tcp" } = this.options;
    const channel = over === "memory" ? createTestChannel(this.server, options) : new Channel(this.target, options);
    this.channels.push(channel);
    return channel;
  }

  client<Service extends DescService>(service: Service, options?: ChannelOptions): Client<Service> {
    return createClient(service, this.channel(options));
  }

  /** Runs before the server is closed; the last one first. */
  defer(work: () => unknown): void {
    this.deferred.push(work);
  }

  /** The errors reported so far. A test that expects some takes them, or fails at its end. */
  takeErrors(): unknown[] {
    const taken = this.errors;
    this.errors = [];
    return taken;
  }

  async close(): Promise<void> {
    for (const work of this.deferred.splice(0).reverse()) await work();
    for (const channel of this.channels) await channel.close();
    await eventually("every stream to end", () => this.server.streamCount === 0);
    await this.server.close();
    await eventually("every handler to finish", () => this.server.handlerCount === 0);
    assert.deepEqual(this.takeErrors(), [], "the server reported errors that the test did not expect");
  }
}

/** Made before the test does anything else; everything is closed and checked after it. */
export async function useServer(
  t: TestContext,
  setUp: (server: Server) => unknown,
  options: UseServerOptions = {},
): Promise<Lab> {
  checkOptions("useServer()", options, USE_SERVER_OPTIONS);
  const before = footprint();
  const lab = new Lab(options);
  setUp(lab.server);
  t.after(async () => {
    await lab.close();
    await eventuallyLeft(before);
  });
  await lab.open();
  return lab;
}

/** Resolves once `holds` does; it is asked in every turn of the event loop. Fails naming what it waited for. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  const startedMs = realNow();
  while (!holds()) {
    if (realNow() - startedMs > GIVE_UP_MS) assert.fail(`waited for ${what} in vain`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function eventuallyLeft(before: Footprint): Promise<void> {
  let now = footprint();
  await eventually("everything the test opened to be closed", () => {
    now = footprint();
    return isAtMost(now, before);
  }).catch(() => assert.deepEqual(now, before, "the test left something behind"));
}

function footprint(): Footprint {
  const sockets = process.getActiveResourcesInfo().filter((name) => SOCKETS.has(name)).length;
  return { sockets, timers: timerWheel.size, bufferedBytes: processBudget.usedBytes };
}

function isAtMost(now: Footprint, before: Footprint): boolean {
  return now.sockets <= before.sockets && now.timers <= before.timers && now.bufferedBytes <= before.bufferedBytes;
}
