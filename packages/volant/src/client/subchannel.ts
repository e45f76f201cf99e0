/**
 * One backend: its connectivity state and its connection. Owns connecting, the time it may take, and the waits between
 * attempts. gRPC connectivity-semantics, connection-backoff.
 *
 * READY means that the server's SETTINGS arrived within the connect timeout: an open TCP port alone proves nothing. A
 * server that keeps ending connections before it has answered anything is one that cannot be reached: it is waited for
 * like one, or a client would connect to it in a loop as fast as it can. A server that says GOAWAY while calls are under way
 * most likely answers them: it is judged when it has, or when the connection ends without.
 */

import { detached } from "../rpc/ambient.ts";
import { FaultTotals } from "../transport/fault-totals.ts";
import type { KeepaliveOptions } from "../transport/keepalive.ts";
import { ProcessHold } from "../transport/process-hold.ts";
import { clearTimeout, monotonicMs, setTimeout } from "../transport/time.ts";
import { backoffMs } from "./backoff.ts";
import type { ResolvedChannelOptions } from "./channel-options.ts";
import type { ChannelStats } from "./channel-stats.ts";
import { ClientConnection, type ConnectionListener } from "./client-connection.ts";
import type { ConnectivityState } from "./connectivity.ts";
import type { Connector } from "./connector.ts";
import type { Endpoint } from "./target.ts";

export interface SubchannelListener {
  onStateChanged(state: ConnectivityState): void;
  /** The connection may be able to start another call, once the event under way is over. */
  onRoom(): void;
}

/** One try to connect. */
interface Attempt {
  readonly timer: NodeJS.Timeout;
  cancelTransport: () => void;
  /** Set once the transport is open. */
  connection: ClientConnection | undefined;
  /** What the transport itself said last; it knows more than the connection. */
  lastWords: string | undefined;
}

type Phase =
  | { readonly kind: "idle" }
  | { readonly kind: "connecting"; readonly attempt: Attempt }
  | { readonly kind: "ready"; readonly connection: ClientConnection; readonly sinceMs: number }
  | { readonly kind: "backoff"; readonly timer: NodeJS.Timeout }
  | { readonly kind: "shutdown" };

const STATE_OF_PHASE: Readonly<Record<Phase["kind"], ConnectivityState>> = {
  idle: "IDLE",
  connecting: "CONNECTING",
  ready: "READY",
  backoff: "TRANSIENT_FAILURE",
  shutdown: "SHUTDOWN",
};

/** A first connection that ends without an answer is replaced at once: it may have met a server on its way out. */
const FREE_LOSSES = 1;
/** Since the last answer. More count as losses at once: a server that takes calls, says GOAWAY and is silent is not met once a call. */
const MAX_UNJUDGED = 16;

export class Subchannel implements ConnectionListener {
  /** Why the last attempt or connection ended. */
  lastFailure = "not connected yet";
  private readonly endpoint: Endpoint;
  private readonly options: ResolvedChannelOptions;
  private readonly connector: Connector;
  private readonly listener: SubchannelListener;
  private keepalive: KeepaliveOptions;
  private phase: Phase = { kind: "idle" };
  /** Attempts and connections in a row that came to nothing. */
  private failures = 0;
  private isAwaited = false;
  /** One for every phase: no timer or connection of this keeps the process alive by itself, save for the calls on it. */
  private readonly hold = new ProcessHold();
  /** Every connection that is not gone, retired ones among them. */
  private readonly connections = new Set<ClientConnection>();
  /** Those that take no new calls and have answered none yet, and since when they were ready. */
  private readonly unjudged = new Map<ClientConnection, number>();
  private readonly faults = new FaultTotals();
  private readonly goneWaiters: (() => void)[] = [];

  constructor(endpoint: Endpoint, options: ResolvedChannelOptions, connector: Connector, listener: SubchannelListener) {
    this.endpoint = endpoint;
    this.options = options;
    this.connector = connector;
    this.listener = listener;
    this.keepalive = options.keepalive;
  }

  get state(): ConnectivityState {
    return STATE_OF_PHASE[this.phase.kind];
  }

  /** Of the connections that there are and were. */
  stats(): Omit<ChannelStats, "pending"> {
    const all = [...this.connections].map(({ http2 }) => http2);
    const streams = all.reduce((sum, { streamCount }) => sum + streamCount, 0);
    return { connections: all.length, streams, faults: this.faults.snapshot(all) };
  }

  /** See {@link ChannelStats}. */
  countFault(cause: string): void {
    this.faults.count(cause);
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

  /** Whether somebody waits, for a connection or for room on the one there is: then the process stays alive. */
  setAwaited(isAwaited: boolean): void {
    if (isAwaited === this.isAwaited) return;
    this.isAwaited = isAwaited;
    detached(() => this.hold.set(isAwaited));
  }

  /** Ends everything; resolves when every connection is gone. */
  close(): Promise<void> {
    const { phase } = this;
    if (phase.kind !== "shutdown") {
      clearTimeout(timerOf(phase));
      this.phase = { kind: "shutdown" };
      if (phase.kind === "connecting") phase.attempt.cancelTransport();
      for (const connection of this.connections) connection.close();
      this.listener.onStateChanged(this.state);
    }
    if (this.connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.goneWaiters.push(resolve));
  }

  // ConnectionListener

  onReady(connection: ClientConnection): void {
    const { phase } = this;
    if (phase.kind !== "connecting" || phase.attempt.connection !== connection) return;
    clearTimeout(phase.attempt.timer);
    this.enter({ kind: "ready", connection, sinceMs: monotonicMs() });
    this.listener.onRoom();
  }

  onRoom(connection: ClientConnection): void {
    if (this.phase.kind === "ready" && this.phase.connection === connection) this.listener.onRoom();
  }

  onTooManyPings(): void {
    this.keepalive = { ...this.keepalive, timeMs: this.keepalive.timeMs * 2 };
  }

  onRetired(connection: ClientConnection, reason: string): void {
    const { phase } = this;
    if (phase.kind === "connecting" && phase.attempt.connection === connection) {
      this.failAttempt(phase.attempt, this.refusalText(phase.attempt, reason));
    }
    if (phase.kind !== "ready" || phase.connection !== connection) return;
    this.lastFailure = reason;
    if (connection.mayAnswer && this.unjudged.size < MAX_UNJUDGED) this.unjudged.set(connection, phase.sinceMs);
    else if (connection.hasAnswered) this.onProof();
    else this.failures = this.hasLasted(phase.sinceMs) ? 0 : this.failures + 1;
    if (this.failures <= FREE_LOSSES) this.enter({ kind: "idle" });
    else this.backOff();
  }

  onJudged(connection: ClientConnection): void {
    const sinceMs = this.unjudged.get(connection);
    if (sinceMs === undefined) return;
    this.unjudged.delete(connection);
    const { phase } = this;
    if (connection.hasAnswered) {
      this.onProof();
      if (phase.kind !== "backoff") return;
      clearTimeout(phase.timer);
      this.enter({ kind: "idle" });
    } else if (!this.hasLasted(sinceMs)) {
      this.failures++;
      if (phase.kind === "idle" && this.failures > FREE_LOSSES) this.backOff();
    }
  }

  onGone(connection: ClientConnection): void {
    this.connections.delete(connection);
    this.faults.addGone(connection.http2);
    if (this.connections.size === 0) for (const resolve of this.goneWaiters.splice(0)) resolve();
  }

  /** The server answers calls: what was lost before does not count any more. */
  private onProof(): void {
    this.failures = 0;
    this.unjudged.clear();
  }

  /** As long as the wait for another would have been. */
  private hasLasted(sinceMs: number): boolean {
    return monotonicMs() - sinceMs >= this.options.backoff.initialMs;
  }

  private startAttempt(): void {
    const timer = setTimeout(() => this.failAttempt(attempt, this.timeoutText(attempt)), this.options.connectTimeoutMs);
    const attempt: Attempt = { timer, cancelTransport: () => undefined, connection: undefined, lastWords: undefined };
    timer.unref();
    this.enter({ kind: "connecting", attempt });
    // A listener may have closed the channel.
    if (!this.isUnderWay(attempt)) return;
    attempt.cancelTransport = this.connector(this.endpoint, {
      onConnected: (createWire) => {
        const connection = new ClientConnection(this.options, this.keepalive, this);
        attempt.connection = connection;
        this.connections.add(connection);
        connection.start(createWire(connection.wireSink));
      },
      onFailed: (reason) => this.failAttempt(attempt, reason),
      onBroken: (reason) => {
        attempt.lastWords = reason;
      },
    });
  }

  private isUnderWay(attempt: Attempt): boolean {
    return this.phase.kind === "connecting" && this.phase.attempt === attempt;
  }

  private failAttempt(attempt: Attempt, reason: string): void {
    if (!this.isUnderWay(attempt)) return;
    clearTimeout(attempt.timer);
    this.lastFailure = reason;
    this.failures++;
    this.backOff();
    if (attempt.connection === undefined) attempt.cancelTransport();
    else attempt.connection.close();
  }

  /** In TLS 1.3 a server judges our certificate when our side of the handshake is over already. RFC 8446 §4.4.2.4. */
  private refusalText(attempt: Attempt, reason: string): string {
    if (attempt.lastWords !== undefined) return attempt.lastWords;
    if (this.options.tls?.credentials.current.cert === undefined) return reason;
    return `${reason} right after the TLS handshake; it may not accept the certificate of this channel (tls.cert)`;
  }

  private timeoutText(attempt: Attempt): string {
    const { connectTimeoutMs } = this.options;
    if (attempt.connection === undefined) return `no connection within ${connectTimeoutMs} ms`;
    return (
      `the server accepted the connection, but sent no HTTP/2 SETTINGS within ${connectTimeoutMs} ms: check the port, ` +
      "and whether it expects TLS"
    );
  }

  private backOff(): void {
    const waitMs = backoffMs(this.options.backoff, this.failures, Math.random());
    const timer = setTimeout(() => this.enter({ kind: "idle" }), waitMs);
    timer.unref();
    this.enter({ kind: "backoff", timer });
  }

  private enter(phase: Phase): void {
    this.phase = phase;
    this.listener.onStateChanged(this.state);
  }
}

function timerOf(phase: Phase): NodeJS.Timeout | undefined {
  if (phase.kind === "connecting") return phase.attempt.timer;
  return phase.kind === "backoff" ? phase.timer : undefined;
}
