/**
 * What arrives of a request before interceptors have admitted the call. It is kept as octets: nothing is decoded, granted
 * or shown to a hook for a caller who may yet be refused. Bounded by the stream's window, because nothing is consumed.
 */
export interface RequestReceiver {
  onData(bytes: Buffer, start: number, end: number, endStream: boolean): void;
  onHalfClose(): void;
}

export class EarlyRequest {
  private readonly chunks: Buffer[] = [];
  private isComplete = false;

  /** Copies: the octets are the connection's. */
  keep(bytes: Buffer, start: number, end: number): void {
    if (start < end) this.chunks.push(Buffer.from(bytes.subarray(start, end)));
  }

  complete(): void {
    this.isComplete = true;
  }

  replayTo(receiver: RequestReceiver): void {
    for (const chunk of this.chunks) receiver.onData(chunk, 0, chunk.length, false);
    if (this.isComplete) receiver.onHalfClose();
  }
}
