/**
 * The streams of a connection: which are open, which ids were used, and how the last closed ones ended. Owns membership
 * and counts. RFC 9113 §5.1.1 (ids), §5.1.2 (concurrency).
 */
import type { Role } from "./options.ts";
import { Http2Stream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";
import { UsageError } from "./usage-error.ts";

/** How a stream that is gone ended. What late frames on it deserve depends on it (RFC 9113 §5.1 "closed"). */
export const ClosedHow = { UNKNOWN: 0, ENDED: 1, RESET_BY_US: 2, RESET_BY_PEER: 3 } as const;

/** Closed streams remembered; frames for older ones are judged by their id alone. */
const REMEMBERED = 256;

export class StreamStore {
  private readonly streams = new StreamTable();
  private readonly localParity: number;
  private closedIds: Int32Array | undefined;
  private closedHow: Uint8Array | undefined;
  private closedAt = 0;
  /** Highest id the peer has opened. */
  lastRemoteId = 0;
  /** Next id we open. */
  nextLocalId: number;
  openLocal = 0;
  openRemote = 0;
  private lastBegunLocalId = 0;

  constructor(role: Role) {
    this.localParity = role === "client" ? 1 : 0;
    this.nextLocalId = role === "client" ? 1 : 2;
  }

  get(id: number): Http2Stream | undefined {
    return this.streams.get(id);
  }

  get size(): number {
    return this.streams.size;
  }

  /** Those of now, in the order in which they were opened. */
  values(): readonly Http2Stream[] {
    return this.streams.values();
  }

  isLocalId(id: number): boolean {
    return (id & 1) === this.localParity;
  }

  /** True for an id that was never used: RFC 9113 §5.1 "idle". */
  isIdle(id: number): boolean {
    return this.isLocalId(id) ? id >= this.nextLocalId : id > this.lastRemoteId;
  }

  openRemoteStream(id: number, sendWindowBytes: number, receiveWindowBytes: number): Http2Stream {
    this.lastRemoteId = id;
    this.openRemote++;
    return this.add(new Http2Stream(id, sendWindowBytes, receiveWindowBytes));
  }

  openLocalStream(sendWindowBytes: number, receiveWindowBytes: number): Http2Stream {
    const id = this.nextLocalId;
    this.nextLocalId += 2;
    this.openLocal++;
    return this.add(new Http2Stream(id, sendWindowBytes, receiveWindowBytes));
  }

  /** RFC 9113 §5.1.1: the first frame of a stream closes all idle streams of lower ids, so they begin in order. */
  beginLocal(stream: Http2Stream): void {
    if (stream.id < this.lastBegunLocalId) {
      throw new UsageError(
        `stream ${stream.id} begins after stream ${this.lastBegunLocalId}; reset it and open another`,
      );
    }
    this.lastBegunLocalId = stream.id;
  }

  private add(stream: Http2Stream): Http2Stream {
    this.streams.add(stream);
    return stream;
  }

  /** False: it has left already. */
  remove(stream: Http2Stream, how: number): boolean {
    if (!this.streams.delete(stream.id)) return false;
    if (this.isLocalId(stream.id)) this.openLocal--;
    else this.openRemote--;
    this.remember(stream.id, how);
    return true;
  }

  /** An id whose stream is refused before it exists. */
  markRefused(id: number): void {
    this.lastRemoteId = id;
    this.remember(id, ClosedHow.RESET_BY_US);
  }

  howClosed(id: number): number {
    const ids = this.closedIds;
    if (ids === undefined) return ClosedHow.UNKNOWN;
    const index = ids.indexOf(id);
    return index < 0 ? ClosedHow.UNKNOWN : this.closedHow![index]!;
  }

  private remember(id: number, how: number): void {
    this.closedIds ??= new Int32Array(REMEMBERED);
    this.closedHow ??= new Uint8Array(REMEMBERED);
    this.closedIds[this.closedAt] = id;
    this.closedHow[this.closedAt] = how;
    this.closedAt = (this.closedAt + 1) % REMEMBERED;
  }
}
