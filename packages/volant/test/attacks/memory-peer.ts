/**
 * A client of a server in memory that sends whatever it is told and reads only as much as it likes. Owns its end of the wire
 * and what it read, a line a frame.
 */
import type { Server } from "../../src/index.ts";
import { type FrameBuilder, FrameTrace, frames } from "../../src/testing/frame-factory.ts";
import { MemoryWire } from "../../src/transport/memory-wire.ts";
import type { WireSink } from "../../src/transport/wire.ts";
import { turns } from "./virtual-time.ts";

type Sendable = Buffer | FrameBuilder;

/** What may lie unread between the two. */
const CAPACITY_BYTES = 65_536;

export class MemoryPeer implements WireSink {
  /** One line a frame; DATA, SETTINGS and WINDOW_UPDATE left out. */
  readonly lines: string[] = [];
  isClosed = false;
  dataFrames = 0;
  private readonly wire = new MemoryWire(this);
  private readonly trace = new FrameTrace();
  private chunksLeft = Number.POSITIVE_INFINITY;
  private readonly unsent: Buffer[] = [];
  private isWriting = false;

  /** Connected, with nothing sent. */
  static connect(server: Server, address: string = "memory"): MemoryPeer {
    const peer = new MemoryPeer();
    server.attach((sink) => {
      const far = new MemoryWire(sink, CAPACITY_BYTES, { address });
      MemoryWire.join(peer.wire, far);
      return far;
    });
    return peer;
  }

  /** After preface and SETTINGS of both sides, with windows that never fill. */
  static async ready(server: Server, address?: string): Promise<MemoryPeer> {
    const peer = MemoryPeer.connect(server, address);
    peer.send(frames.preface, frames.settings([4, 0x7fff_ffff]), frames.windowUpdate(0, 0x7fff_ffff - 65_535));
    peer.send(frames.settingsAck());
    await turns();
    return peer;
  }

  send(...parts: readonly Sendable[]): void {
    this.unsent.push(...parts.map((part) => (Buffer.isBuffer(part) ? part : part.bytes())));
    if (!this.isWriting) this.sendUnsent();
  }

  /** A wire takes one write at a time. */
  private sendUnsent(): void {
    this.isWriting = false;
    if (this.unsent.length === 0) return;
    const bytes = Buffer.concat(this.unsent.splice(0));
    this.isWriting = !this.wire.write(bytes, () => this.sendUnsent());
  }

  /** Reads that many chunks more, then nothing. */
  readChunks(count: number): void {
    this.chunksLeft = count;
    if (count > 0) this.wire.resume();
    else this.wire.pause();
  }

  /** Gone without a word. */
  destroy(): void {
    this.wire.destroy();
  }

  countOf(pattern: RegExp): number {
    return this.lines.filter((line) => pattern.test(line)).length;
  }

  onChunk(bytes: Buffer): void {
    if (--this.chunksLeft <= 0) this.wire.pause();
    for (const { type, text } of this.trace.read(bytes)) {
      if (type === 0) this.dataFrames++;
      else if (!/^(SETTINGS|WINDOW_UPDATE)/.test(text)) this.lines.push(text);
    }
  }

  onEnd(): void {
    this.wire.end();
  }

  onClosed(): void {
    this.isClosed = true;
  }
}
