/**
 * A wire that counts what was handed to it. Buys: when a connection is lost, a call whose frames are still in our own
 * buffers is told from one that the server may have seen; a number read per call and one more call per write, not per frame.
 */
import type { Wire } from "../transport/wire.ts";

export class CountedWire implements Wire {
  /** Writes so far. */
  writes = 0;
  private readonly wire: Wire;

  constructor(wire: Wire) {
    this.wire = wire;
  }

  get peer(): Wire["peer"] {
    return this.wire.peer;
  }

  write(bytes: Buffer, onWritten: () => void): boolean {
    this.writes++;
    return this.wire.write(bytes, onWritten);
  }

  get unsentBytes(): number {
    return this.wire.unsentBytes;
  }

  get receivedBytes(): number {
    return this.wire.receivedBytes;
  }

  get inputMark(): number {
    return this.wire.inputMark;
  }

  isHandled(inputMark: number): boolean {
    return this.wire.isHandled(inputMark);
  }

  pause(): void {
    this.wire.pause();
  }

  resume(): void {
    this.wire.resume();
  }

  end(): void {
    this.wire.end();
  }

  destroy(): void {
    this.wire.destroy();
  }

  ref(): void {
    this.wire.ref();
  }

  unref(): void {
    this.wire.unref();
  }
}
