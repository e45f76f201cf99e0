/**
 * A client of a server in this process that sends whatever it is told and reads only as much as it likes: in memory, or through the
 * door of sockets that the server's scene has opened. Owns its end of the wire and what it read, a line a frame.
 */
import type { Server } from "../../src/index.ts";
import { type FrameBuilder, FrameTrace, frames } from "../../src/testing/frame-factory.ts";
import { MemoryWire } from "../../src/transport/memory-wire.ts";
import type { WireSink } from "../../src/transport/wire.ts";
import { doorOf, type PeerWire } from "./socket-door.ts";
import { turns } from "./virtual-time.ts";

type Sendable = Buffer | FrameBuilder;

/** What may lie unread between the two. */
const CAPACITY_BYTES = 65_536;

export class MemoryPeer implements WireSink {
  /** One line a frame; DATA, SETTINGS and WINDOW_UPDATE left out. */
  readonly lines: string[] = [];
  isClosed = false;
  dataFrames = 0;
  private readonly wire: PeerWire;
  private readonly trace = new FrameTrace();
  private chunksLeft = Number.POSITIVE_INFINITY;
  private readonly unsent: Buffer[] = [];
  private isWriting = false;

  private constructor(connect: (sink: WireSink) => PeerWire) {
    this.wire = connect(this);
  }

  /** Connected, with nothing sent. */
  static connect(server: Server, address: string = "memory"): MemoryPeer {
    return new MemoryPeer((sink) => doorOf(server)?.enter(sink, address) ?? attach(server, sink, address));
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

function attach(server: Server, sink: WireSink, address: string): MemoryWire {
  const near = new MemoryWire(sink);
  server.attach((farSink) => {
    const far = new MemoryWire(farSink, CAPACITY_BYTES, { address });
    MemoryWire.join(near, far);
    return far;
  });
  return near;
}
