/**
 * One backend: its connectivity state and its connection. Owns connecting, the time it may take, and the waits between
 * attempts. gRPC connectivity-semantics, connection-backoff.
 *
 * READY means that the server's SETTINGS arrived within the connect timeout: an open TCP port alone proves nothing.
 */
import { detached } from "../rpc/ambient.ts";
import { backoffMs } from "./backoff.ts";
import type { ResolvedChannelOptions } from "./channel-options.ts";
import { ClientConnection, type ConnectionListener } from "./client-connection.ts";
import type { ConnectivityState } from "./connectivity.ts";
import type { Connector } from "./connector.ts";
import type { Endpoint } from "./target.ts";

export interface SubchannelListener {
  onStateChanged(state: ConnectivityState): void;
  /** The connection can start another call. */
  onRoom(): void;
}

type Phase =
  | { readonly kind: "idle" }
  | { readonly kind: "connecting"; readonly cancel: () => void; readonly timer: NodeJS.Timeout }
  | { readonly kind: "ready"; readonly connection: ClientConnection }
  | { readonly kind: "backoff"; readonly timer: NodeJS.Timeout }
  | { readonly kind: "shutdown" };

const STATE_OF_PHASE: Readonly<Record<Phase["kind"], ConnectivityState>> = {
  idle: "IDLE",
  connecting: "CONNECTING",
  ready: "READY",
  backoff: "TRANSIENT_FAILURE",
  shutdown: "SHUTDOWN",
};

export class Subchannel implements ConnectionListener {
  /** Why the last attempt or connection ended. */
  lastFailure = "not connected yet";
  private readonly endpoint: Endpoint;
  private readonly options: ResolvedChannelOptions;
  private readonly connector: Connector;
  private readonly listener: SubchannelListener;
  private phase: Phase = { kind: "idle" };
  /** Attempts in a row that failed. */
  private failures = 0;
  /** Every connection that is not gone, retired ones among them. */
  private readonly connections = new Set<ClientConnection>();
  private readonly goneWaiters: (() => void)[] = [];

  constructor(
    endpoint: Endpoint,
    options: ResolvedChannelOptions,
    connector: Connector,
    listener: SubchannelListener,
  ) {
    this.endpoint = endpoint;
    this.options = options;
    this.connector = connector;
    this.listener = listener;
  }

  get state(): ConnectivityState {
    return STATE_OF_PHASE[this.phase.kind];
  }

  /** A connection that can start a call now. */
  pick(): ClientConnection | undefined {
    const { phase } = this;
    return phase.kind === "ready" && phase.connection.canStartCall ? phase.connection : undefined;
  }

  /** Connects if nobody has asked yet; a backoff under way is waited for. */
  connect(): void {
    if (this.phase.kind === "idle") detached(() => this.startAttempt());
  }

  /** Ends everything; resolves when every connection is gone. */
  close(): Promise<void> {
    if (this.phase.kind === "connecting") this.phase.cancel();
    if (this.phase.kind === "connecting" || this.phase.kind === "backoff") clearTimeout(this.phase.timer);
    if (this.phase.kind !== "shutdown") this.enter({ kind: "shutdown" });
    for (const connection of this.connections) connection.close();
    if (this.connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.goneWaiters.push(resolve));
  }

  // ConnectionListener

  onReady(connection: ClientConnection): void {
    if (this.phase.kind !== "connecting") return;
    clearTimeout(this.phase.timer);
    this.failures = 0;
    this.enter({ kind: "ready", connection });
    this.listener.onRoom();
  }

  onRoom(connection: ClientConnection): void {
    if (this.phase.kind === "ready" && this.phase.connection === connection) this.listener.onRoom();
  }

  onRetired(connection: ClientConnection, reason: string): void {
    this.lastFailure = reason;
    if (this.phase.kind === "ready" && this.phase.connection === connection) this.enter({ kind: "idle" });
  }

  onGone(connection: ClientConnection, reason: string): void {
    this.connections.delete(connection);
    if (this.connections.size === 0) for (const resolve of this.goneWaiters.splice(0)) resolve();
    // It never became ready: this attempt failed.
    if (this.phase.kind === "connecting" && this.attempt === connection) this.failAttempt(reason);
  }

  /** The connection of the attempt under way, once its transport is open. */
  private attempt: ClientConnection | undefined = undefined;

  private startAttempt(): void {
    const { connectTimeoutMs } = this.options;
    const timer = setTimeout(() => {
      this.phase.kind === "connecting" && this.phase.cancel();
      this.failAttempt(`no connection within ${connectTimeoutMs} ms`);
    }, connectTimeoutMs);
    const cancelSocket = this.connector(this.endpoint, {
      onConnected: (createWire) => {
        const connection = new ClientConnection(this.options, this);
        this.attempt = connection;
        this.connections.add(connection);
        connection.start(createWire(connection.wireSink));
      },
      onFailed: (reason) => this.failAttempt(reason),
    });
    const cancel = (): void => {
      const { attempt } = this;
      this.attempt = undefined;
      if (attempt === undefined) cancelSocket();
      else attempt.close();
    };
    this.enter({ kind: "connecting", cancel, timer });
  }

  private failAttempt(reason: string): void {
    if (this.phase.kind !== "connecting") return;
    clearTimeout(this.phase.timer);
    this.attempt = undefined;
    this.failures++;
    this.lastFailure = reason;
    const waitMs = backoffMs(this.options.backoff, this.failures, Math.random());
    const timer = setTimeout(() => this.enter({ kind: "idle" }), waitMs);
    // Only a call that waits for it keeps the process alive; the channel says so.
    timer.unref();
    this.enter({ kind: "backoff", timer });
  }

  /** Whether a wait between attempts keeps the process alive. */
  keepAlive(wanted: boolean): void {
    if (this.phase.kind !== "backoff") return;
    if (wanted) this.phase.timer.ref();
    else this.phase.timer.unref();
  }

  private enter(phase: Phase): void {
    this.phase = phase;
    this.listener.onStateChanged(this.state);
  }
}
