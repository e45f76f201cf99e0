/**
 * Shares the event loop out among peers, and among the connections of a peer. The loop hands over what has arrived socket
 * by socket, and each would be handled to its end: what one peer sends on eight connections is what all others wait for.
 *
 * A piece of work (a chunk of octets, cut to about a millisecond by `read-pace.ts`) is done at once while its peer has had
 * less than a slice in this turn of the loop and the turn is young. Otherwise it waits, and is done at the end of the turn:
 * the peer that has had least time is next, then the connection of it that has had least. What does not fit in this turn
 * goes on in the next, after the loop has looked for what is new, so that a peer that asks for little never waits for one
 * that asks for much.
 *
 * Time is measured, not estimated: from the beginning of a piece to the beginning of the next, so that what a handler does
 * in promises right behind it counts too. Something else may run in between, such as the answers of a database, so no more
 * than a millisecond is charged for the time after a piece.
 *
 * Owns the order and the accounts; knows no socket. Peers that ask for less than they may cost two readings of the clock.
 */
import { FairQueue, FairShare } from "./fair-queue.ts";

/** What a peer may have in a turn before it waits, by default. */
export const DEFAULT_SLICE_MS = 1;
/** The most that is charged for what runs behind a piece. */
const MOST_BEHIND_MS = 1;
/** For all pieces that are done at once in a turn, and for those that waited. */
const AT_ONCE_MS = 4;
const WAITED_MS = 2;
/** Pieces that waited, done in one turn. */
const MAX_STEPS = 32;

export interface TurnClock {
  nowMs(): number;
  /** Runs it once at the end of this turn of the loop. */
  atEndOfTurn(run: () => void): void;
  /**
   * Runs it soon after that, one such after the other with all promises in between; those asked for while one of them runs
   * come in the next turn.
   */
  soon(run: () => void): void;
  /** The pieces that waited and fit in this turn are done. */
  stepsDone(): void;
}

/** What has its turns: a connection. */
export interface TurnTaker {
  /** Does one piece of what waits; to be followed by {@link Turns.wait} if there is more. Must not throw. */
  takeTurn(): void;
  /** What its last piece took. */
  onCharged(ms: number): void;
}

class PeerTurns extends FairShare {
  readonly key: string;
  readonly connections = new FairQueue<ConnectionTurns>();
  connectionCount = 0;
  /** The last in which it had something to do. */
  turn = 0;

  constructor(key: string) {
    super();
    this.key = key;
  }
}

/** The place of one connection. */
export class ConnectionTurns extends FairShare {
  readonly peer: PeerTurns;
  readonly taker: TurnTaker;
  readonly sliceMs: number;

  constructor(peer: PeerTurns, taker: TurnTaker, sliceMs: number) {
    super();
    this.peer = peer;
    this.taker = taker;
    this.sliceMs = sliceMs;
  }
}

export class TurnScheduler {
  private readonly clock: TurnClock;
  private readonly peers = new Map<string, PeerTurns>();
  /** Peers with a connection that waits. */
  private readonly queue = new FairQueue<PeerTurns>();
  /** Whose piece is charged next, since when, and when it returned. */
  private current: ConnectionTurns | undefined = undefined;
  private startedMs = 0;
  private returnedMs = 0;
  private isTurnOpen = false;
  private turn = 0;
  private turnStartedMs = 0;
  /** Steps that were asked for and have not run. */
  private stepsLeft = 0;
  private stepsStartedMs = -1;

  constructor(clock: TurnClock) {
    this.clock = clock;
  }

  /** For a connection of that peer, until {@link leave}. `sliceMs`: what its peer may have in a turn before it waits. */
  join(peerKey: string, taker: TurnTaker, sliceMs: number = DEFAULT_SLICE_MS): ConnectionTurns {
    let peer = this.peers.get(peerKey);
    if (peer === undefined) {
      peer = new PeerTurns(peerKey);
      this.peers.set(peerKey, peer);
    }
    peer.connectionCount++;
    return new ConnectionTurns(peer, taker, sliceMs);
  }

  leave(connection: ConnectionTurns): void {
    const { peer } = connection;
    this.stopWaiting(connection);
    if (this.current === connection) this.current = undefined;
    if (--peer.connectionCount === 0) this.peers.delete(peer.key);
  }

  /** Peers with a connection, and those that wait. */
  get size(): { readonly peers: number; readonly waiting: number } {
    return { peers: this.peers.size, waiting: this.queue.size };
  }

  /** True: its piece is to be done now, and {@link end} called. False: call {@link wait}. */
  begin(connection: ConnectionTurns, nowMs: number): boolean {
    this.charge(nowMs);
    this.openTurn(nowMs);
    this.meet(connection.peer);
    this.current = connection;
    this.startedMs = nowMs;
    this.returnedMs = nowMs;
    return this.isFree(connection, nowMs);
  }

  /** The piece that was begun has returned; what comes before the next piece is its promises. */
  end(connection: ConnectionTurns, nowMs: number): void {
    if (this.current === connection) this.returnedMs = nowMs;
  }

  /** Its taker has a piece to do. May be repeated. */
  wait(connection: ConnectionTurns): void {
    const { peer } = connection;
    peer.connections.add(connection);
    this.queue.add(peer);
    if (this.stepsLeft === 0) this.askForSteps();
  }

  /** It has nothing to do any more, or must not do it now. */
  stopWaiting(connection: ConnectionTurns): void {
    const { peer } = connection;
    peer.connections.remove(connection);
    if (peer.connections.size === 0) this.queue.remove(peer);
  }

  /** Nobody is overtaken who waits and has had less. */
  private isFree(connection: ConnectionTurns, nowMs: number): boolean {
    const { peer } = connection;
    if (nowMs - this.turnStartedMs >= AT_ONCE_MS) return false;
    // Where there is no other peer nobody is helped by a copy.
    if (this.queue.size === 0) return this.peers.size === 1 || this.queue.leadOf(peer) < connection.sliceMs;
    const [first, next] = [this.queue.next()!, peer.connections.next()];
    if (this.queue.leadOf(peer) > this.queue.leadOf(first)) return false;
    return next === undefined || peer.connections.leadOf(connection) <= peer.connections.leadOf(next);
  }

  /** What its connections had in earlier turns counts only as long as some of them wait. */
  private meet(peer: PeerTurns): void {
    if (peer.turn === this.turn) return;
    peer.turn = this.turn;
    if (peer.connections.size === 0) peer.connections.level();
  }

  private charge(nowMs: number): void {
    const { current, startedMs, returnedMs } = this;
    if (current === undefined) return;
    this.current = undefined;
    const behindMs = Math.max(0, Math.min(MOST_BEHIND_MS, nowMs - returnedMs));
    const ms = Math.max(0, returnedMs - startedMs) + behindMs;
    current.peer.connections.charge(current, ms);
    this.queue.charge(current.peer, ms);
    current.taker.onCharged(ms);
  }

  private openTurn(nowMs: number): void {
    if (this.isTurnOpen) return;
    this.isTurnOpen = true;
    this.turn++;
    this.turnStartedMs = nowMs;
    this.clock.atEndOfTurn(this.onEndOfTurn);
  }

  private readonly onEndOfTurn = (): void => {
    this.isTurnOpen = false;
    this.charge(this.clock.nowMs());
    if (this.queue.size === 0) this.queue.level();
  };

  /** More than are likely to be done, since none can be added to a turn later; and one more, to charge the last. */
  private askForSteps(): void {
    this.stepsLeft = Math.min(MAX_STEPS, 4 + 2 * this.queue.size) + 1;
    this.stepsStartedMs = -1;
    for (let step = 0; step < this.stepsLeft; step++) this.clock.soon(this.step);
  }

  private readonly step = (): void => {
    const nowMs = this.clock.nowMs();
    this.charge(nowMs);
    if (this.stepsStartedMs < 0) this.stepsStartedMs = nowMs;
    if (--this.stepsLeft === 0) this.finishSteps();
    else if (nowMs - this.stepsStartedMs < WAITED_MS) this.doNext(nowMs);
  };

  private doNext(nowMs: number): void {
    const peer = this.queue.next();
    const connection = peer?.connections.next();
    if (connection === undefined) return;
    this.stopWaiting(connection);
    this.current = connection;
    this.startedMs = nowMs;
    connection.taker.takeTurn();
    this.end(connection, this.clock.nowMs());
  }

  private finishSteps(): void {
    this.clock.stepsDone();
    if (this.queue.size > 0) this.askForSteps();
    else this.queue.level();
  }
}
