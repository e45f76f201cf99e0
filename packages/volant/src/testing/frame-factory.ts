/**
 * HTTP/2 frames for tests, valid or not, and back to something a person can read. Owns no rule: it writes whatever it is
 * told, with lengths and flags that are right unless the test makes them wrong. RFC 9113 §6.
 *
 *   frames.headers(1).request("POST", "/s/m").endStream().bytes()
 *   frames.raw(0x0, 0x8, 1, Buffer.of(9)).bytes()
 */
import { errorCodeName } from "../http2/error-code.ts";
import { FRAME_HEADER_BYTES, FrameFlag, FrameType } from "../http2/frame-type.ts";
import {
  readPayloadLength,
  readStreamId,
  readUint31,
  readUint32,
  writeFrameHeader,
} from "../http2/frames/frame-header.ts";
import { encodeStaticBlock, type HeaderField, HpackDecoder, Indexing } from "../http2/hpack/index.ts";
import { CLIENT_PREFACE } from "../http2/preface.ts";

export type Fields = readonly (readonly [name: string, value: string])[];

/** A header block that touches no dynamic table. */
export function headerBlock(fields: Fields): Buffer {
  return encodeStaticBlock(fields.map(([name, value]) => ({ name, value, indexing: Indexing.WITHOUT })));
}

/** One frame under construction. */
export class FrameBuilder {
  protected flags: number;
  private readonly type: number;
  private readonly streamId: number;
  private payload: Buffer;
  private lengthField = -1;

  constructor(type: number, flags: number, streamId: number, payload: Buffer) {
    this.type = type;
    this.flags = flags;
    this.streamId = streamId;
    this.payload = payload;
  }

  flag(bits: number): this {
    this.flags |= bits;
    return this;
  }

  withoutFlag(bits: number): this {
    this.flags &= ~bits;
    return this;
  }

  endStream(): this {
    return this.flag(FrameFlag.END_STREAM);
  }

  /** Pad length octet and padding, around the payload as it is now. `claimed` lies about the length. */
  padded(octets: number, claimed: number = octets): this {
    this.payload = Buffer.concat([Buffer.of(claimed), this.payload, Buffer.alloc(octets)]);
    return this.flag(FrameFlag.PADDED);
  }

  /** The priority fields of HEADERS, in front of the payload as it is now: call it before {@link padded}. */
  priority(dependsOn: number, weight: number = 16): this {
    const fields = Buffer.alloc(5);
    fields.writeUInt32BE(dependsOn);
    fields[4] = weight;
    this.payload = Buffer.concat([fields, this.payload]);
    return this.flag(FrameFlag.PRIORITY);
  }

  /** A length field that differs from the payload. */
  claimLength(length: number): this {
    this.lengthField = length;
    return this;
  }

  bytes(): Buffer {
    const header = Buffer.alloc(FRAME_HEADER_BYTES);
    const length = this.lengthField < 0 ? this.payload.length : this.lengthField;
    writeFrameHeader(header, 0, length, this.type, this.flags, this.streamId);
    return Buffer.concat([header, this.payload]);
  }

  protected setPayload(payload: Buffer): this {
    this.payload = payload;
    return this;
  }

  protected get fragment(): Buffer {
    return this.payload;
  }

  protected get id(): number {
    return this.streamId;
  }
}

/** HEADERS; complete in one frame unless {@link continued}. */
export class HeadersBuilder extends FrameBuilder {
  constructor(streamId: number) {
    super(FrameType.HEADERS, FrameFlag.END_HEADERS, streamId, Buffer.alloc(0));
  }

  request(method: string, path: string, more: Fields = []): this {
    return this.fields([[":method", method], [":scheme", "http"], [":path", path], [":authority", "test"], ...more]);
  }

  response(status: number | string, more: Fields = []): this {
    return this.fields([[":status", String(status)], ...more]);
  }

  fields(fields: Fields): this {
    return this.setPayload(headerBlock(fields));
  }

  block(octets: Buffer): this {
    return this.setPayload(octets);
  }

  /** This HEADERS with the first `at[0]` octets of the block, then a CONTINUATION up to each further position, then the rest. */
  continued(...at: readonly number[]): Buffer {
    if (at.length === 0) return this.bytes();
    const block = this.fragment;
    const cuts = [...at, block.length];
    const first = new FrameBuilder(
      FrameType.HEADERS,
      this.flags & ~FrameFlag.END_HEADERS,
      this.id,
      block.subarray(0, cuts[0]),
    );
    const rest = cuts.slice(1).map((end, index) => {
      const isLast = index === cuts.length - 2;
      return frames.continuation(this.id, block.subarray(cuts[index], end), isLast).bytes();
    });
    return Buffer.concat([first.bytes(), ...rest]);
  }
}

function uint32(...values: readonly number[]): Buffer {
  const octets = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) octets.writeUInt32BE(value, 4 * index);
  return octets;
}

export const frames = {
  preface: CLIENT_PREFACE,

  raw(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): FrameBuilder {
    return new FrameBuilder(type, flags, streamId, payload);
  },

  headers(streamId: number): HeadersBuilder {
    return new HeadersBuilder(streamId);
  },

  continuation(streamId: number, fragment: Buffer, endHeaders: boolean = true): FrameBuilder {
    return new FrameBuilder(FrameType.CONTINUATION, endHeaders ? FrameFlag.END_HEADERS : 0, streamId, fragment);
  },

  /** `payload` as octets or text, or that many zero octets. */
  data(streamId: number, payload: Buffer | string | number): FrameBuilder {
    const octets = typeof payload === "number" ? Buffer.alloc(payload) : Buffer.from(payload as string);
    return new FrameBuilder(FrameType.DATA, 0, streamId, octets);
  },

  settings(...entries: readonly (readonly [id: number, value: number])[]): FrameBuilder {
    const payload = Buffer.alloc(6 * entries.length);
    for (const [index, [id, value]] of entries.entries()) {
      payload.writeUInt16BE(id, 6 * index);
      payload.writeUInt32BE(value, 6 * index + 2);
    }
    return new FrameBuilder(FrameType.SETTINGS, 0, 0, payload);
  },

  settingsAck(): FrameBuilder {
    return new FrameBuilder(FrameType.SETTINGS, FrameFlag.ACK, 0, Buffer.alloc(0));
  },

  ping(opaque: Buffer | string = "12345678"): FrameBuilder {
    return new FrameBuilder(FrameType.PING, 0, 0, Buffer.from(opaque as string));
  },

  /** The acknowledgement of our `sendPing(opaque)`. */
  pingAck(opaque: number): FrameBuilder {
    return new FrameBuilder(FrameType.PING, FrameFlag.ACK, 0, uint32(0, opaque));
  },

  goAway(lastStreamId: number, code: number, debugData: string = ""): FrameBuilder {
    const payload = Buffer.concat([uint32(lastStreamId, code), Buffer.from(debugData, "latin1")]);
    return new FrameBuilder(FrameType.GOAWAY, 0, 0, payload);
  },

  rstStream(streamId: number, code: number): FrameBuilder {
    return new FrameBuilder(FrameType.RST_STREAM, 0, streamId, uint32(code));
  },

  windowUpdate(streamId: number, increment: number): FrameBuilder {
    return new FrameBuilder(FrameType.WINDOW_UPDATE, 0, streamId, uint32(increment));
  },

  priority(streamId: number, dependsOn: number): FrameBuilder {
    return new FrameBuilder(FrameType.PRIORITY, 0, streamId, Buffer.concat([uint32(dependsOn), Buffer.of(16)]));
  },

  pushPromise(streamId: number, promisedId: number): FrameBuilder {
    const block = headerBlock([
      [":method", "GET"],
      [":scheme", "http"],
      [":path", "/"],
      [":authority", "test"],
    ]);
    const payload = Buffer.concat([uint32(promisedId), block]);
    return new FrameBuilder(FrameType.PUSH_PROMISE, FrameFlag.END_HEADERS, streamId, payload);
  },
} as const;

/** A frame that was sent, with one line of text for assertions: `DATA 1 [5] end`, `GOAWAY last=1 PROTOCOL_ERROR "why"`. */
export interface SentFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
  readonly text: string;
  /** Of the block that this frame completes. */
  readonly fields?: Fields;
}

const NAMES: readonly string[] = Object.keys(FrameType);

/** Reads what one side of a connection sends. It keeps that side's HPACK table, so it must be given everything. */
export class FrameTrace {
  private readonly decoder = new HpackDecoder({ maxTableBytes: 65_536, maxListBytes: 1 << 24, maxFields: 1 << 16 });
  private rest: Buffer = Buffer.alloc(0);
  private openBlock: Buffer[] = [];

  /** The frames completed by `bytes`. A client preface in front is skipped. */
  read(bytes: Buffer): SentFrame[] {
    let rest = Buffer.concat([this.rest, bytes]);
    if (rest.subarray(0, CLIENT_PREFACE.length).equals(CLIENT_PREFACE)) rest = rest.subarray(CLIENT_PREFACE.length);
    const sent: SentFrame[] = [];
    while (rest.length >= FRAME_HEADER_BYTES) {
      const end = FRAME_HEADER_BYTES + readPayloadLength(rest, 0);
      if (rest.length < end) break;
      sent.push(this.describe(rest[3]!, rest[4]!, readStreamId(rest, 5), rest.subarray(FRAME_HEADER_BYTES, end)));
      rest = rest.subarray(end);
    }
    this.rest = rest;
    return sent;
  }

  private describe(type: number, flags: number, streamId: number, payload: Buffer): SentFrame {
    const words = [NAMES[type] ?? `0x${type.toString(16)}`];
    if (streamId !== 0) words.push(String(streamId));
    const isHeaders = type === FrameType.HEADERS || type === FrameType.CONTINUATION;
    const fields = isHeaders ? this.decode(flags, payload) : undefined;
    words.push(...this.details(type, flags, payload, fields));
    const frame = { type, flags, streamId, payload, text: words.join(" ") };
    return fields === undefined ? frame : { ...frame, fields };
  }

  private details(type: number, flags: number, payload: Buffer, fields: Fields | undefined): string[] {
    switch (type) {
      case FrameType.DATA:
        return [`[${payload.length}]`, ...when(flags & FrameFlag.END_STREAM, "end")];
      case FrameType.HEADERS:
      case FrameType.CONTINUATION:
        return [
          ...when(type === FrameType.HEADERS && flags & FrameFlag.END_STREAM, "end"),
          ...(fields?.map(([name, value]) => `${name}=${value}`) ?? ["…"]),
        ];
      case FrameType.RST_STREAM:
        return [errorCodeName(readUint32(payload, 0))];
      case FrameType.SETTINGS:
        return flags & FrameFlag.ACK ? ["ack"] : settingWords(payload);
      case FrameType.PING:
        return [payload.toString("hex"), ...when(flags & FrameFlag.ACK, "ack")];
      case FrameType.GOAWAY:
        return [
          `last=${readUint31(payload, 0)}`,
          errorCodeName(readUint32(payload, 4)),
          JSON.stringify(payload.toString("latin1", 8)),
        ];
      case FrameType.WINDOW_UPDATE:
        return [`+${readUint31(payload, 0)}`];
      default:
        return [payload.toString("hex")];
    }
  }

  private decode(flags: number, payload: Buffer): Fields | undefined {
    this.openBlock.push(payload);
    if ((flags & FrameFlag.END_HEADERS) === 0) return undefined;
    const block = Buffer.concat(this.openBlock);
    this.openBlock = [];
    const fields: HeaderField[] = [];
    const result = this.decoder.decode(block, 0, block.length, fields);
    if (result !== 0) throw new Error(`a header block that was sent does not decode: ${this.decoder.lastError}`);
    return fields.map(({ name, value }) => [name, value] as const);
  }
}

function when(condition: boolean | number, word: string): string[] {
  return condition ? [word] : [];
}

function settingWords(payload: Buffer): string[] {
  const words: string[] = [];
  for (let at = 0; at < payload.length; at += 6)
    words.push(`${payload.readUInt16BE(at)}=${payload.readUInt32BE(at + 2)}`);
  return words;
}
