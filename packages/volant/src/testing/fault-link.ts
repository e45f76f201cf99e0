/**
 * A connection in memory with somebody in the middle who breaks it as told. Owns what is passed on, held back, replaced or
 * dropped between a client and a server, frame by frame; both sides are real and do not know.
 *
 * Invariants: what is dropped is credited to the connection of whoever sent it, so that a fault costs no window; header
 * blocks are coded anew without the dynamic table, so that one may be late or left out.
 */

import { MessageDeframer } from "../grpc/message-deframer.ts";
import { FrameFlag, FrameType } from "../http2/frame-type.ts";
import { CLIENT_PREFACE } from "../http2/preface.ts";
import { ErrorCode } from "../transport/http2.ts";
import { MemoryWire } from "../transport/memory-wire.ts";
import { setImmediate, setTimeout } from "../transport/time.ts";
import type { WireSink } from "../transport/wire.ts";
import { type FrameBuilder, FrameTrace, frames, headerBlock, type SentFrame } from "./frame-factory.ts";
import type { FaultyCall, TestFault } from "./test-faults.ts";

/** What every peer takes in one frame. */
const MAX_FRAGMENT = 16_384;

/** What becomes of one stream that has a fault. */
interface FaultyStream {
  readonly id: number;
  readonly fault: TestFault;
  readonly deframer: MessageDeframer;
  messages: number;
  hasHeaders: boolean;
  /** Frames of the server that wait for a delay to pass. */
  held: SentFrame[] | undefined;
  /** Nothing of it is passed on any more. */
  isDead: boolean;
}

/** Our end towards one side: what that side sends comes out as frames, a header block always as one. */
class End implements WireSink {
  readonly wire: MemoryWire;
  other: End | undefined;
  private readonly trace: FrameTrace = new FrameTrace();
  private readonly onFrame: (frame: SentFrame) => void;
  /** HEADERS whose block is not complete. */
  private headers: SentFrame | undefined;
  /** Set while a write waits: what is to follow it. */
  private unsent: Buffer[] | undefined;

  constructor(onFrame: (frame: SentFrame) => void) {
    this.onFrame = onFrame;
    this.wire = new MemoryWire(this);
  }

  onChunk(bytes: Buffer): void {
    for (const frame of this.trace.read(bytes)) this.receive(frame);
  }

  private receive(frame: SentFrame): void {
    if (frame.type === FrameType.HEADERS && frame.fields === undefined) this.headers = frame;
    else if (frame.type !== FrameType.CONTINUATION) this.onFrame(frame);
    else if (frame.fields !== undefined) this.onFrame({ ...this.headers!, fields: frame.fields });
  }

  /** Whoever writes too much waits: it is read no faster than what it wrote is taken from here. */
  send(bytes: Buffer): void {
    if (this.unsent !== undefined) this.unsent.push(bytes);
    else if (!this.wire.write(bytes, () => this.sendUnsent())) {
      this.unsent = [];
      this.other!.wire.pause();
    }
  }

  private sendUnsent(): void {
    const bytes = Buffer.concat(this.unsent!);
    this.unsent = undefined;
    if (bytes.length > 0) this.send(bytes);
    if (this.unsent === undefined) this.other!.wire.resume();
  }

  onEnd(): void {
    this.other!.wire.end();
  }

  onClosed(): void {
    this.other!.wire.destroy();
  }
}

export class FaultLink {
  private readonly client: End = new End((frame) => this.onClientFrame(frame));
  private readonly server: End = new End((frame) => this.onServerFrame(frame));
  private readonly faultOf: (path: string) => TestFault | undefined;
  private readonly streams = new Map<number, FaultyStream>();
  private hasPreface = false;

  /** Between the wire of a client and that of a server. `faultOf` is asked for each call, in order. */
  constructor(near: MemoryWire, far: MemoryWire, faultOf: (path: string) => TestFault | undefined) {
    this.faultOf = faultOf;
    this.client.other = this.server;
    this.server.other = this.client;
    MemoryWire.join(near, this.client.wire);
    MemoryWire.join(far, this.server.wire);
  }

  private onClientFrame(frame: SentFrame): void {
    if (!this.hasPreface) {
      this.hasPreface = true;
      this.server.send(CLIENT_PREFACE);
    }
    const known = this.streams.get(frame.streamId);
    if (known === undefined && frame.type === FrameType.HEADERS) this.begin(frame);
    if (this.streams.get(frame.streamId)?.isDead) {
      if (frame.type === FrameType.DATA) this.credit(this.client, frame);
      return;
    }
    this.server.send(bytesOf(frame));
  }

  private onServerFrame(frame: SentFrame): void {
    const stream = this.streams.get(frame.streamId);
    if (stream === undefined || isControl(frame)) this.client.send(bytesOf(frame));
    else if (stream.isDead) this.drop(frame);
    else if (stream.held !== undefined) stream.held.push(frame);
    else this.onAnswer(stream, frame);
  }

  private drop(frame: SentFrame): void {
    if (frame.type === FrameType.DATA) this.credit(this.server, frame);
  }

  /** The first frame of a call: the moment of the faults that wait for nothing. */
  private begin(frame: SentFrame): void {
    const path = frame.fields?.find(([name]) => name === ":path")?.[1] ?? "";
    const fault = this.faultOf(path);
    if (fault === undefined) return;
    const { streamId: id } = frame;
    const stream: FaultyStream = {
      id,
      fault,
      deframer: new MessageDeframer({
        onPrefix: () => true,
        onMessage: () => {
          stream.messages++;
        },
      }),
      messages: 0,
      hasHeaders: false,
      held: undefined,
      isDead: false,
    };
    this.streams.set(id, stream);
    if (fault.kind === "delay") this.holdBack(stream, fault.ms);
    else if (fault.kind === "goAway") this.goAway(stream, fault);
    else if (fault.kind === "disconnect" && fault.afterMessages === undefined) this.disconnect();
    else if (fault.kind === "reset" && fault.afterMessages === undefined) {
      // Behind the HEADERS that are about to pass; a refused stream is one that the server never saw.
      if (fault.code === "REFUSED_STREAM") this.resetClient(stream, fault.code);
      else setImmediate(() => this.reset(stream, fault.code));
    }
  }

  private onAnswer(stream: FaultyStream, frame: SentFrame): void {
    const { fault } = stream;
    const ends = frame.type === FrameType.HEADERS && (frame.flags & FrameFlag.END_STREAM) !== 0;
    if (ends && fault.kind === "truncateTrailers") {
      const bytes = bytesOf(frame);
      this.client.send(bytes.subarray(0, bytes.length - 1));
      this.disconnect();
      return;
    }
    if (ends && fault.kind === "dropTrailers") {
      this.client.send(withoutStatus(stream).bytes());
      stream.isDead = true;
      return;
    }
    this.client.send(bytesOf(frame));
    if (frame.type === FrameType.HEADERS) stream.hasHeaders = true;
    if (frame.type === FrameType.DATA) this.onAnswerData(stream, frame.payload);
  }

  private onAnswerData(stream: FaultyStream, payload: Buffer): void {
    const { fault } = stream;
    stream.deframer.push(payload, 0, payload.length);
    if (fault.kind === "reset" && stream.messages >= (fault.afterMessages ?? Number.POSITIVE_INFINITY)) {
      this.reset(stream, fault.code);
    } else if (fault.kind === "disconnect" && stream.messages >= (fault.afterMessages ?? Number.POSITIVE_INFINITY)) {
      this.disconnect();
    }
  }

  private holdBack(stream: FaultyStream, ms: number): void {
    const held: SentFrame[] = [];
    stream.held = held;
    setTimeout(() => {
      stream.held = undefined;
      for (const frame of held) this.client.send(bytesOf(frame));
    }, ms);
  }

  private goAway(stream: FaultyStream, fault: TestFault & { kind: "goAway" }): void {
    const { processed = false, code = "NO_ERROR", debugData = "" } = fault;
    stream.isDead = !processed;
    const lastStreamId = processed ? stream.id : Math.max(0, stream.id - 2);
    this.client.send(frames.goAway(lastStreamId, ErrorCode[code], debugData).bytes());
  }

  private reset(stream: FaultyStream, code: keyof typeof ErrorCode | undefined): void {
    if (stream.isDead) return;
    this.resetClient(stream, code);
    this.server.send(frames.rstStream(stream.id, ErrorCode.CANCEL).bytes());
  }

  private resetClient(stream: FaultyStream, code: keyof typeof ErrorCode = "INTERNAL_ERROR"): void {
    stream.isDead = true;
    this.client.send(frames.rstStream(stream.id, ErrorCode[code]).bytes());
  }

  private disconnect(): void {
    this.client.wire.end();
    this.server.wire.destroy();
  }

  private credit(sender: End, { payload }: SentFrame): void {
    if (payload.length > 0) sender.send(frames.windowUpdate(0, payload.length).bytes());
  }
}

export function faultsInOrder(
  faults: (call: FaultyCall) => TestFault | undefined,
): (path: string) => TestFault | undefined {
  let index = 0;
  return (path) => faults({ index: index++, path });
}

/** An end of the stream in which no field says how the call went. */
function withoutStatus({ id, hasHeaders }: FaultyStream): FrameBuilder {
  if (hasHeaders) return frames.headers(id).block(Buffer.alloc(0)).endStream();
  return frames
    .headers(id)
    .response(200, [["content-type", "application/grpc"]])
    .endStream();
}

/** Frames that keep a stream going and say nothing of the answer. */
function isControl({ type }: SentFrame): boolean {
  return type === FrameType.WINDOW_UPDATE;
}

function bytesOf({ type, flags, streamId, payload, fields }: SentFrame): Buffer {
  if (fields === undefined) return frames.raw(type, flags, streamId, payload).bytes();
  const headers = frames.headers(streamId).fields(fields);
  if ((flags & FrameFlag.END_STREAM) !== 0) headers.endStream();
  const cuts: number[] = [];
  for (let at = MAX_FRAGMENT; at < headerBlock(fields).length; at += MAX_FRAGMENT) cuts.push(at);
  return headers.continued(...cuts);
}
