/**
 * `Channel`: a client's virtual connection to a target. Owns which calls wait and which may start, and the state that
 * users see; connecting is the subchannel's.
 */
import { wantAmbientCall } from "../rpc/ambient.ts";
import { createRpcError } from "../rpc/rpc-error.ts";
import { StatusCode } from "../rpc/status.ts";
import { type ChannelOptions, type ResolvedChannelOptions, resolveChannelOptions } from "./channel-options.ts";
import type { ConnectivityState } from "./connectivity.ts";
import { type Connector, connectSocket } from "./connector.ts";
import { type PendingCall, PendingCalls } from "./pending-calls.ts";
import { Subchannel } from "./subchannel.ts";
import { parseTarget } from "./target.ts";

export type StateListener = (state: ConnectivityState) => void;

/** A virtual connection: it connects when the first call needs it, and again after every loss. */
export class Channel {
  readonly target: string;
  /** What stands in `:authority`. */
  readonly authority: string;
  /** Internal: read by clients of this channel. */
  readonly options: ResolvedChannelOptions;
  private readonly pending = new PendingCalls();
  private readonly subchannel: Subchannel;
  private readonly listeners = new Set<StateListener>();

  /**
   * `target`: host:port, dns:///host:port, ipv4:…, ipv6:…, unix:path. Throws TypeError for any other, RangeError or
   * UsageError for an option outside its range. `connector` is for tests: how the transport is opened.
   */
  constructor(target: string, options: ChannelOptions = {}, connector: Connector = connectSocket) {
    wantAmbientCall();
    const { endpoint, authority } = parseTarget(target);
    this.target = target;
    this.options = resolveChannelOptions(options);
    this.authority = this.options.authority ?? authority;
    this.subchannel = new Subchannel(endpoint, this.options, connector, {
      onStateChanged: (state) => this.onStateChanged(state),
      onRoom: () => this.startPending(),
    });
  }

  get state(): ConnectivityState {
    return this.subchannel.state;
  }

  /** Calls that wait for a connection or for room on one. */
  get pendingCount(): number {
    return this.pending.size;
  }

  /** Calls `listener` after every change; the result ends that. */
  watchState(listener: StateListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Connects now. Rejects with UNAVAILABLE when the attempt fails, with CANCELLED when the channel is closed. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): boolean => {
        const { state } = this;
        if (state === "READY") resolve();
        else if (state === "TRANSIENT_FAILURE") reject(this.unavailable(this.subchannel.lastFailure));
        else if (state === "SHUTDOWN") reject(closedError());
        else return false;
        return true;
      };
      if (settle()) return;
      const stop = this.watchState(() => {
        if (settle()) stop();
      });
      this.subchannel.connect();
    });
  }

  /** Ends every call with CANCELLED and every connection. Further calls fail. Resolves when all sockets are closed. */
  async close(): Promise<void> {
    const closing = this.subchannel.close();
    this.pending.failClosed();
    await closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Internal: starts the call now, or when it can. */
  start(call: PendingCall): void {
    const connection = this.pending.size === 0 ? this.subchannel.pick() : undefined;
    if (connection !== undefined) {
      call.begin(connection);
      return;
    }
    const { state } = this;
    if (state === "SHUTDOWN") call.failClosed();
    else if (state === "TRANSIENT_FAILURE" && !call.waitForReady) call.failUnavailable(this.failureText());
    else {
      this.pending.add(call);
      this.subchannel.keepAlive(true);
      this.subchannel.connect();
    }
  }

  /** Internal: the call ended while it waited. */
  forget(call: PendingCall): void {
    this.pending.remove(call);
    if (this.pending.size === 0) this.subchannel.keepAlive(false);
  }

  private startPending(): void {
    this.pending.startOn(() => this.subchannel.pick());
  }

  private onStateChanged(state: ConnectivityState): void {
    if (state === "TRANSIENT_FAILURE") {
      this.pending.failUnavailable(this.failureText());
      this.subchannel.keepAlive(this.pending.size > 0);
    }
    // A loss or the end of a backoff: whoever still waits needs a new attempt.
    if (state === "IDLE" && this.pending.size > 0) this.subchannel.connect();
    for (const listener of this.listeners) listener(state);
  }

  private failureText(): string {
    return `no connection to ${this.target}: ${this.subchannel.lastFailure}`;
  }

  private unavailable(reason: string): Error {
    return createRpcError("client", StatusCode.UNAVAILABLE, `no connection to ${this.target}: ${reason}`);
  }
}

function closedError(): Error {
  return createRpcError("client", StatusCode.CANCELLED, "the channel is closed");
}
