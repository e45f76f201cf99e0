/**
 * `Channel`: a client's virtual connection to a target. Owns which calls wait and which may start, and the state that
 * users see; connecting is the subchannel's.
 */
import { printable } from "../grpc/printable.ts";

import { wantAmbientCall } from "../rpc/ambient.ts";
import type { MethodInfo } from "../rpc/method.ts";
import { createRpcError } from "../rpc/rpc-error.ts";
import { StatusCode } from "../rpc/status.ts";
import { ChurningSet } from "../transport/churning-set.ts";
import { queueMicrotask } from "../transport/time.ts";
import { type ChannelOptions, type ResolvedChannelOptions, resolveChannelOptions } from "./channel-options.ts";
import type { ChannelStats } from "./channel-stats.ts";
import type { ConnectivityState } from "./connectivity.ts";
import { type Connector, connectorOf } from "./connector.ts";
import { type PendingCall, PendingCalls } from "./pending-calls.ts";
import { PostponedCalls } from "./postponed-calls.ts";
import { RetryThrottle } from "./retry-throttle.ts";
import { StateWatchers } from "./state-watchers.ts";
import { Subchannel } from "./subchannel.ts";
import { parseTarget } from "./target.ts";

export type StateListener = (state: ConnectivityState) => void;

/** A call whose answer is complete, and not yet with its reader. */
type UnreadCall = Pick<PendingCall, "failClosed">;

/** A virtual connection: it connects when the first call needs it, and again after every loss. */
export class Channel {
  readonly target: string;
  /** What stands in `:authority`. */
  readonly authority: string;
  /** Internal: read by clients of this channel. */
  readonly options: ResolvedChannelOptions;
  /** Internal: what its calls may retry; missing where nothing bounds it. */
  readonly retryThrottle: RetryThrottle | undefined;
  private readonly pending = new PendingCalls();
  private readonly postponed = new PostponedCalls();
  /** No connection knows of them any more. */
  private readonly unread = new ChurningSet<UnreadCall>();
  private readonly subchannel: Subchannel;
  private readonly watchers = new StateWatchers((error) => this.reportError(error, undefined));
  /** `connect()` calls that have not settled. */
  private connectWaiters = 0;
  private isStartQueued = false;

  /**
   * `target`: host:port, dns:///host:port, ipv4:…, ipv6:…, unix:path. Throws TypeError for any other, RangeError, TypeError
   * or UsageError for an option outside its range. `connector` is for tests: how the transport is opened, `tls` then
   * counts for `:scheme` and `:authority` only.
   */
  constructor(target: string, options: ChannelOptions = {}, connector?: Connector) {
    const { endpoint, authority } = parseTarget(target);
    wantAmbientCall();
    this.target = target;
    this.options = resolveChannelOptions(options);
    this.authority = this.options.authority ?? authority;
    const throttling = this.options.retry?.throttling;
    this.retryThrottle = throttling === undefined ? undefined : new RetryThrottle(throttling);
    this.subchannel = new Subchannel(endpoint, this.options, connector ?? connectorOf(this.options.tls), {
      onStateChanged: (state) => this.onStateChanged(state),
      onRoom: () => this.queueStart(),
    });
  }

  get state(): ConnectivityState {
    return this.subchannel.state;
  }

  /** Calls that wait for a connection, for room on one, or for their next attempt. */
  get pendingCount(): number {
    return this.pending.size + this.postponed.size;
  }

  /** What there is now, and what was counted so far: cheap enough for every scrape of a metric. */
  stats(): ChannelStats {
    return { ...this.subchannel.stats(), pending: this.pendingCount };
  }

  /** For the calls of this channel. */
  countFault(cause: string): void {
    this.subchannel.countFault(cause);
  }

  /** Calls `listener` after every change, in order; the result ends that. */
  watchState(listener: StateListener): () => void {
    return this.watchers.add(listener);
  }

  /** Connects now. Rejects with UNAVAILABLE when the attempt fails, with CANCELLED when the channel is closed. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (state: ConnectivityState): boolean => {
        if (state === "READY") resolve();
        else if (state === "TRANSIENT_FAILURE") {
          reject(createRpcError("client", StatusCode.UNAVAILABLE, this.failureText()));
        } else if (state === "SHUTDOWN") reject(closedError());
        else return false;
        return true;
      };
      if (settle(this.state)) return;
      this.connectWaiters++;
      const stop = this.watchState((state) => {
        if (!settle(state)) return;
        stop();
        this.connectWaiters--;
        this.updateAwaited();
      });
      this.updateAwaited();
      this.subchannel.connect();
    });
  }

  /** Ends every call with CANCELLED and every connection. Further calls fail. Resolves when all sockets are closed. */
  async close(): Promise<void> {
    const closing = this.subchannel.close();
    this.pending.failClosed();
    this.postponed.failClosed();
    for (const call of this.unread.values()) call.failClosed();
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
      this.updateAwaited();
      this.subchannel.connect();
    }
  }

  /** Internal: starts the call after `delayMs`. */
  postpone(call: PendingCall, delayMs: number): void {
    if (this.state === "SHUTDOWN") call.failClosed();
    else this.postponed.add(call, delayMs, (due) => this.start(due));
  }

  /** Internal: the call ended; if it waited, it does so no more. */
  forget(call: PendingCall): void {
    this.pending.remove(call);
    this.postponed.remove(call);
    this.updateAwaited();
  }

  /** Internal: until {@link removeUnread}, the call has no stream and is not over. */
  addUnread(call: UnreadCall): void {
    this.unread.add(call);
  }

  removeUnread(call: UnreadCall): void {
    this.unread.delete(call);
  }

  /** Internal: an error that no caller will see. Never throws. */
  reportError(error: unknown, method: MethodInfo | undefined): void {
    try {
      this.options.onError(error, method);
    } catch (failure) {
      process.stderr.write(`volant: onError itself failed: ${printable(String(failure))}\n`);
    }
  }

  /**
   * Calls start when the event under way is over, not inside it: a stream counts against the server's limit until its last
   * frame is handled, and a GOAWAY may stand right behind the SETTINGS.
   */
  private queueStart(): void {
    if (this.pending.size === 0 || this.isStartQueued) return;
    this.isStartQueued = true;
    queueMicrotask(() => {
      this.isStartQueued = false;
      this.pending.startOn(() => this.subchannel.pick());
      this.updateAwaited();
    });
  }

  private onStateChanged(state: ConnectivityState): void {
    this.watchers.tell(state);
    // A watcher may have moved things on; what follows is about the state there is.
    if (this.state === "TRANSIENT_FAILURE") {
      this.pending.failUnavailable(this.failureText());
      this.updateAwaited();
    }
    // A loss or the end of a backoff: whoever still waits needs a new attempt.
    if (this.state === "IDLE" && this.pending.size > 0) this.subchannel.connect();
  }

  private updateAwaited(): void {
    this.subchannel.setAwaited(this.pending.size > 0 || this.connectWaiters > 0);
  }

  private failureText(): string {
    return `no connection to ${this.target}: ${this.subchannel.lastFailure}`;
  }
}

function closedError(): Error {
  return createRpcError("client", StatusCode.CANCELLED, "the channel is closed");
}
