/**
 * `Server`: services, listeners and connections, and the way from serving to stopped. Owns the life cycle; calls are owned
 * by their connection.
 */

import type { Socket } from "node:net";
import type { ServiceSource } from "../rpc/method.ts";
import { checkOptions, type OptionTable } from "../rpc/option-names.ts";
import { inRange } from "../rpc/option-range.ts";
import { nextTurn } from "../stream/turn.ts";
import { ChurningSet } from "../transport/churning-set.ts";
import { FaultTotals } from "../transport/fault-totals.ts";
import { SocketWire } from "../transport/socket-wire.ts";
import { monotonicMs } from "../transport/time.ts";
import { timerWheel, WheelTimer } from "../transport/timer-wheel.ts";
import type { TlsIdentity } from "../transport/tls-identity.ts";
import type { Wire, WireSink } from "../transport/wire.ts";
import { AddressLimit } from "./address-limit.ts";
import type { Handlers } from "./handlers.ts";
import { type ListenAddress, Listener, type ListenOptions } from "./listener.ts";
import { LossReports } from "./loss-reports.ts";
import { Router } from "./router.ts";
import { RunningHandlers } from "./running-handlers.ts";
import { callListener, ServerConnection } from "./server-connection.ts";
import { type ResolvedServerOptions, resolveServerOptions, type ServerOptions } from "./server-options.ts";
import type { ServerStats } from "./server-stats.ts";

export interface DrainOptions {
  /** How long calls and their handlers may take to finish before connections are closed. Default 20,000 ms; 0 or more. */
  readonly graceMs?: number;
}

/** For services that speak of the server itself, as health does. What a listener throws goes to `onError`. */
export interface ServerObserver {
  onServiceAdded?(service: ServiceSource): void;
  /** A drain begins. What calls send in this turn of the event loop goes out before the first GOAWAY. */
  onDraining?(): void;
}

const DRAIN_OPTIONS = { graceMs: true } as const satisfies OptionTable<DrainOptions>;
const ADD_OPTIONS = { partial: "boolean" } as const satisfies OptionTable<{ partial?: boolean }>;

const DEFAULT_GRACE_MS = 20_000;

/** A gRPC server. It does nothing until `listen`. */
export class Server {
  private readonly options: ResolvedServerOptions;
  private readonly router: Router;
  private readonly listeners = new Set<Listener>();
  private hasGivenUp = false;
  private readonly connections = new ChurningSet<ServerConnection>();
  private readonly running: RunningHandlers;
  private readonly faults = new FaultTotals();
  private readonly losses: LossReports;
  private readonly turns = { waited: 0 };
  private readonly addresses: AddressLimit;
  private readonly idleWaiters: (() => void)[] = [];
  private readonly observers: ServerObserver[] = [];
  /** Resolves when observers of a drain have had their turn; undefined where there are none. */
  private announced: Promise<void> | undefined = undefined;
  private stopping: "no" | "draining" | "closed" = "no";

  /** Throws RangeError, TypeError or UsageError for an option that is unknown or outside its range. */
  constructor(options: ServerOptions = {}) {
    this.options = resolveServerOptions(options);
    this.losses = new LossReports(this.options.http2.maxSentHeaderListBytes);
    this.router = new Router(this.options.interceptors, this.options.limits.decoding, this.options.checkResponses);
    const { maxOrphanedHandlers, maxConnectionsPerAddress, http2, onError } = this.options;
    this.addresses = new AddressLimit(maxConnectionsPerAddress);
    this.running = new RunningHandlers({
      maxOrphanedHandlers,
      abandonedHandlerMs: http2.abandonedHandlerMs,
      report: (error, call) => callListener("onError", () => onError(error, call)),
    });
  }

  /**
   * Registers a service. Every method needs a handler unless `partial` is set: then those left out answer UNIMPLEMENTED.
   * An instance of a class may have functions of its own beside them. Throws TypeError for a service that is there already, an
   * unknown or missing handler.
   */
  add<Service extends ServiceSource>(
    service: Service,
    handlers: Handlers<Service>,
    options?: { partial?: false },
  ): this;
  add<Service extends ServiceSource>(
    service: Service,
    handlers: Partial<Handlers<Service>>,
    options: { partial: true },
  ): this;
  add(service: ServiceSource, handlers: object, options: { partial?: boolean } = {}): this {
    checkOptions("server.add()", options, ADD_OPTIONS);
    this.router.add(service, handlers, options.partial ?? false);
    this.tell((observer) => observer.onServiceAdded?.(service));
    return this;
  }

  /** Tells `observer` of services added from now on, and of a drain. */
  observe(observer: ServerObserver): void {
    this.observers.push(observer);
  }

  /** The services added so far, in order. */
  get services(): readonly ServiceSource[] {
    return this.router.registeredServices();
  }

  /** Connections open now. */
  get connectionCount(): number {
    return this.connections.size;
  }

  /** Calls under way now. */
  get streamCount(): number {
    let count = 0;
    for (const connection of this.connections.values()) count += connection.streamCount;
    return count;
  }

  /**
   * Starts to accept connections; may be called for several addresses. Rejects with an error that names the address and has
   * Node's `code` (EADDRINUSE, EACCES, …), or with RangeError or TypeError for illegal options and certificates.
   */
  async listen(options: ListenOptions = {}): Promise<ListenAddress> {
    this.refuseStopped();
    const listener = await Listener.open(options, {
      onSocket: (socket, path, tls) => this.onSocket(socket, path, tls),
      onError: (error) => this.reportError(error),
      admit: (socket) => this.admit(socket),
    });
    if (this.stopping !== "no") await listener.close();
    this.refuseStopped();
    this.listeners.add(listener);
    return listener.address;
  }

  /**
   * Takes over a connection that somebody else accepted. `createWire` gets the sink and returns the wire that reports to it.
   */
  attach(createWire: (sink: WireSink) => Wire): void {
    this.refuseStopped();
    const { router, options, running, faults, losses, turns } = this;
    const parts = { router, options, running, faults, losses, turns };
    const connection = new ServerConnection(parts, (gone) => this.onGone(gone));
    this.connections.add(connection);
    connection.start(createWire(connection.wireSink));
  }

  /** Handlers that have not finished, those whose call is over among them. */
  get handlerCount(): number {
    return this.running.size;
  }

  /** What there is now, and what was counted so far: cheap enough for every scrape of a metric. */
  stats(): ServerStats {
    const { running } = this;
    return {
      connections: this.connectionCount,
      streams: this.streamCount,
      handlers: { running: running.size, orphaned: running.orphanedSize, abandoned: running.abandonedSize },
      turnsWaited: this.turns.waited,
      faults: this.faults.snapshot(this.connections.values().map(({ http2 }) => http2)),
    };
  }

  /**
   * Stops gracefully: no new connections, GOAWAY to those that are there, calls under way finish, new ones go elsewhere.
   * Resolves when everything is closed and every handler has finished, at the latest when `graceMs`, and a second for the
   * last words, are over. May be called again with a shorter grace. Rejects with RangeError for an illegal `graceMs`.
   */
  async drain(options: DrainOptions = {}): Promise<void> {
    checkOptions("server.drain()", options, DRAIN_OPTIONS);
    const graceMs = inRange("graceMs", options.graceMs ?? DEFAULT_GRACE_MS, 0);
    if (this.stopping === "no") this.announceDrain();
    const closing = this.closeListeners();
    if (this.announced !== undefined) await this.announced;
    for (const connection of this.connections.values()) connection.drain();
    const grace = new Grace(() => this.giveUp());
    if (this.connections.size > 0 || this.running.size > 0) timerWheel.arm(grace, monotonicMs() + graceMs);
    await Promise.all([closing, this.whenEmpty()]);
    // Not before: a request that was under way when the drain began may have been given to its handler since.
    if (!this.hasGivenUp) await this.running.whenIdle();
    timerWheel.disarm(grace);
    this.stopping = "closed";
  }

  /** Stops at once: calls under way are cancelled, their clients see UNAVAILABLE. Does not wait for handlers. */
  async close(): Promise<void> {
    this.stopping = "closed";
    const closing = this.closeListeners();
    this.giveUp();
    await Promise.all([closing, this.whenEmpty()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private onSocket(socket: Socket, path: string | undefined, tls: TlsIdentity | undefined): void {
    if (this.stopping === "no") this.attach((sink) => new SocketWire(socket, sink, path, tls));
    else socket.destroy();
  }

  /** A socket in its TLS handshake has a place like a connection: or silent ones would be without limit. */
  private admit(socket: Socket): boolean {
    if (this.stopping !== "no") return false;
    let { size } = this.connections;
    for (const listener of this.listeners) size += listener.handshakeCount;
    if (size >= this.options.maxConnections) this.faults.count("too-many-connections");
    else if (this.addresses.admit(socket)) return true;
    else this.faults.count("too-many-connections-from-address");
    return false;
  }

  private announceDrain(): void {
    this.stopping = "draining";
    if (this.observers.length === 0) return;
    this.announced = nextTurn();
    this.tell((observer) => observer.onDraining?.());
  }

  private tell(what: (observer: ServerObserver) => void): void {
    for (const observer of this.observers) {
      try {
        what(observer);
      } catch (error) {
        this.reportError(error);
      }
    }
  }

  private reportError(error: unknown): void {
    callListener("onError", () => this.options.onError(error, undefined));
  }

  private onGone(connection: ServerConnection): void {
    this.connections.delete(connection);
    this.faults.addGone(connection.http2);
    if (this.connections.size > 0) return;
    for (const resolve of this.idleWaiters.splice(0)) resolve();
  }

  private async closeListeners(): Promise<void> {
    const listeners = [...this.listeners];
    this.listeners.clear();
    await Promise.all(listeners.map((listener) => listener.close()));
  }

  /** Nobody waits for calls or handlers any longer. */
  private giveUp(): void {
    this.hasGivenUp = true;
    for (const connection of this.connections.values()) connection.close();
    this.running.giveUp();
  }

  private whenEmpty(): Promise<void> {
    if (this.connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  private refuseStopped(): void {
    if (this.stopping !== "no") throw new Error("this server is stopped; make a new one to serve again");
  }
}

class Grace extends WheelTimer {
  private readonly onOver: () => void;

  constructor(onOver: () => void) {
    super();
    this.onOver = onOver;
  }

  onTimer(): void {
    this.onOver();
  }
}
