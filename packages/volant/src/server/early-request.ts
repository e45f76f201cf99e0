/**
 * What arrives of a request before interceptors have admitted the call. It is kept as octets: nothing is decoded, granted
 * or shown to a hook for a caller who may yet be refused. Bounded by the stream's window, because nothing is consumed; one
 * buffer takes every frame, because an object a frame would be a hundred octets for one.
 */
export interface RequestReceiver {
  onData(bytes: Buffer, start: number, end: number, endStream: boolean): void;
  onHalfClose(): void;
}

/** Most requests are one frame, and fit. */
const INITIAL_BYTES = 256;

export class EarlyRequest {
  /** Made with the first octet. */
  private kept: Buffer | undefined = undefined;
  private length = 0;
  private isComplete = false;

  /** Copies: the octets are the connection's. */
  keep(bytes: Buffer, start: number, end: number): void {
    if (start >= end) return;
    const needed = this.length + end - start;
    let { kept } = this;
    if (kept === undefined || kept.length < needed) {
      const larger = Buffer.allocUnsafe(Math.max(INITIAL_BYTES, needed, 2 * this.length));
      kept?.copy(larger, 0, 0, this.length);
      this.kept = kept = larger;
    }
    bytes.copy(kept, this.length, start, end);
    this.length = needed;
  }

  complete(): void {
    this.isComplete = true;
  }

  replayTo(receiver: RequestReceiver): void {
    if (this.kept !== undefined) receiver.onData(this.kept, 0, this.length, false);
    if (this.isComplete) receiver.onHalfClose();
  }
}
