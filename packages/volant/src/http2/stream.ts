/**
 * One HTTP/2 stream: its state, its two windows, what waits to be sent, and what the header rules must remember. Plain
 * data, moved by the receive and send paths; `context` belongs to the layer above.
 */

import { ReceiveWindow, SendWindow } from "./flow-window.ts";
import { NO_SLOT } from "./handler-slots.ts";
import type { OutboundField } from "./hpack/index.ts";
import type { OutboundQueue } from "./outbound-queue.ts";
import type { StallRecord } from "./stall-watch.ts";
import { StreamState } from "./stream-state.ts";

/** Trailers or headers to send: fields to encode against the dynamic table, or a block of constant bytes. */
export type OutboundBlock = readonly OutboundField[] | Buffer;

export class Http2Stream {
  readonly id: number;
  state: StreamState = StreamState.IDLE;
  readonly sendWindow: SendWindow;
  readonly receiveWindow: ReceiveWindow;
  /** Set while data or an end waits for window or room. */
  outbound: OutboundQueue<OutboundBlock> | undefined = undefined;
  /** Set once a final (not 1xx) header block arrived: the next one is trailers. */
  headersReceived = false;
  /** True while the writer was told to wait; cleared when it is told to go on. */
  writerWaits = false;
  /** Octets of DATA that arrived, as long as windows may still grow: see `window-growth.ts`. */
  receivedBytes = 0;
  /** Octets granted on the connection for a message of this stream, paid back as its octets are consumed. */
  connectionGrant = 0;
  /** Reset with NO_ERROR once our side has ended, whatever the peer still sends (RFC 9113 §8.1). */
  resetWhenDone = false;
  /** The layer above has no use for the request: its end is no call that completed. */
  isRejected = false;
  /** Octets of content-length still to come, -1 where none was announced. */
  contentLengthLeft = -1;
  /** Owned by `handler-slots.ts`. */
  slot: number = NO_SLOT;
  /** Owned by `stall-watch.ts`. */
  stall: StallRecord | undefined = undefined;
  /** DATA frames of few octets whose octets are not consumed yet. */
  tinyHeld = 0;
  /** Size of the interim (1xx) header lists so far. */
  interimBytes = 0;
  /** Owned by the layer above. */
  context: unknown = undefined;

  constructor(id: number, sendWindowBytes: number, receiveWindowBytes: number) {
    this.id = id;
    this.sendWindow = new SendWindow(sendWindowBytes);
    this.receiveWindow = new ReceiveWindow(receiveWindowBytes);
  }

  get isClosed(): boolean {
    return this.state === StreamState.CLOSED;
  }

  /** The peer has sent END_STREAM, or the stream is over. */
  get isRemoteDone(): boolean {
    return this.state === StreamState.HALF_CLOSED_REMOTE || this.state === StreamState.CLOSED;
  }

  /** We have sent END_STREAM, or the stream is over. An end that still waits in the queue does not count. */
  get isLocalDone(): boolean {
    return this.state === StreamState.HALF_CLOSED_LOCAL || this.state === StreamState.CLOSED;
  }

  get queuedBytes(): number {
    return this.outbound === undefined ? 0 : this.outbound.bytes;
  }

  /** Memory of what is queued. */
  get heldBytes(): number {
    return this.outbound === undefined ? 0 : this.outbound.heldBytes;
  }
}
