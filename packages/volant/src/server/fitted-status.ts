/**
 * The end of a call for a client that limits its header lists: which blocks say it, and what of the status has no room in
 * them. Owns the order in which things are left out. Decides nothing about whether a call ends, and sends nothing.
 *
 * The code always goes, as far as anything fits. The details go first: who reads them reads the message too. Then the end of
 * the message, with a mark, and last the metadata: trailers are part of what the method promises, an explanation is not. A
 * retry pushback stays, or clients would press on a server that asked them not to. RFC 9113 §6.5.2, §10.5.1.
 */
import { encodeBase64 } from "../grpc/base64.ts";
import { type Field, HeaderName } from "../grpc/header-names.ts";
import { appendMetadataFields } from "../grpc/metadata-codec.ts";
import { encodeCutMessage, encodeStatusMessage } from "../grpc/percent.ts";
import type { Metadata } from "../rpc/metadata.ts";
import { FIELD_OVERHEAD_BYTES, listBytes, type OutboundField } from "../transport/http2.ts";
import { ANSWER_HEAD, detailsToSend, type EndOfCall, endBlock, toOutbound } from "./responses.ts";

/** Less of a message than this explains nothing; then it is the metadata that goes. */
const LEAST_MESSAGE_BYTES = 128;

export interface FittedStatus {
  /** Response headers must go in front, since both together are too large for one block. */
  readonly isHeadFirst: boolean;
  /** The block that ends the stream; undefined where not even the code fits. */
  readonly fields: OutboundField[] | undefined;
  readonly loss: StatusLoss | undefined;
}

/** What was left out. */
export interface StatusLoss {
  /** What all of it would have taken, at least. */
  readonly wantedBytes: number;
  readonly text: string;
}

export function fitStatus(end: EndOfCall, limitBytes: number): FittedStatus {
  // Encoded it is no shorter, and one that is far too long is not encoded at all.
  if (end.status.message.length <= limitBytes) {
    const fields = endBlock(end);
    if (listBytes(fields) <= limitBytes) return { isHeadFirst: false, fields, loss: undefined };
  }
  return new StatusParts(end, limitBytes).fit();
}

/** What goes out besides the code. */
interface Kept {
  readonly message: { readonly value: string; readonly characters: number } | undefined;
  readonly details: Field | undefined;
  readonly metadata: readonly Field[];
}

/** The pieces of a status that is too large. */
class StatusParts {
  private readonly limitBytes: number;
  private readonly message: string;
  private readonly details: Field | undefined;
  private readonly code: Field;
  private readonly head: readonly Field[];
  private readonly trailers: readonly Field[];
  /** With the headers that were not sent. */
  private readonly metadata: readonly Field[];
  private readonly isOnlyBlock: boolean;

  constructor({ status, head, headers, trailers }: EndOfCall, limitBytes: number) {
    const details = detailsToSend(status);
    this.limitBytes = limitBytes;
    this.isOnlyBlock = head !== undefined;
    this.head = head ?? [];
    this.code = { name: HeaderName.STATUS, value: String(status.code) };
    this.message = status.message;
    this.details = details && { name: HeaderName.STATUS_DETAILS, value: encodeBase64(details) };
    this.trailers = fieldsOf(trailers, status.metadata);
    this.metadata = [...fieldsOf(headers), ...this.trailers];
  }

  fit(): FittedStatus {
    const pushback = this.trailers.filter(({ name }) => name === HeaderName.RETRY_PUSHBACK);
    for (const metadata of [this.metadata, this.trailers, pushback, []]) {
      const kept = this.most(metadata);
      if (kept !== undefined) return { isHeadFirst: false, fields: this.assemble(kept), loss: this.loss(kept) };
    }
    return this.codeAlone();
  }

  /** The most of message and details that this metadata leaves room for. */
  private most(metadata: readonly Field[]): Kept | undefined {
    const { message, details } = this;
    const room = this.limitBytes - listBytes([...this.head, this.code, ...metadata]);
    if (room < 0) return undefined;
    if (message === "") {
      const fits = details !== undefined && sizeOf(details.name, details.value) <= room;
      return { message: undefined, details: fits ? details : undefined, metadata };
    }
    const messageRoom = room - sizeOf(HeaderName.MESSAGE, "");
    const value = message.length <= messageRoom ? encodeStatusMessage(message) : undefined;
    if (value === undefined || value.length > messageRoom) return this.cut(metadata, messageRoom);
    const fits = details !== undefined && sizeOf(details.name, details.value) <= messageRoom - value.length;
    return { message: { value, characters: message.length }, details: fits ? details : undefined, metadata };
  }

  private cut(metadata: readonly Field[], messageRoom: number): Kept | undefined {
    if (messageRoom < LEAST_MESSAGE_BYTES && metadata.length > 0) return undefined;
    return { message: encodeCutMessage(this.message, messageRoom), details: undefined, metadata };
  }

  private assemble({ message, details, metadata }: Kept): OutboundField[] {
    const fields = [...this.head, this.code];
    if (message !== undefined) fields.push({ name: HeaderName.MESSAGE, value: message.value });
    if (details !== undefined) fields.push(details);
    return toOutbound([...fields, ...metadata]);
  }

  /** The smallest block of this kind is too large: two smaller ones, then one that says nothing but the code. */
  private codeAlone(): FittedStatus {
    const loss = this.loss({ message: undefined, details: undefined, metadata: [] });
    if (this.isOnlyBlock && listBytes(ANSWER_HEAD) <= this.limitBytes) {
      return { isHeadFirst: true, fields: toOutbound([this.code]), loss };
    }
    const bare = toOutbound([...this.head.slice(0, 1), this.code]);
    return { isHeadFirst: false, fields: listBytes(bare) <= this.limitBytes ? bare : undefined, loss };
  }

  /** Undefined where there was nothing but the code. */
  private loss({ message, details, metadata }: Kept): StatusLoss | undefined {
    const lost: string[] = [];
    if (this.details !== undefined && details === undefined) {
      lost.push(`the details (${this.details.value.length} bytes)`);
    }
    const characters = message === undefined ? 0 : message.characters;
    if (characters < this.message.length) {
      lost.push(`the end of the message (${characters} of ${this.message.length} characters are kept)`);
    }
    const kept = new Set(metadata);
    const dropped = this.metadata.filter((field) => !kept.has(field));
    if (dropped.length > 0) lost.push(`metadata (${dropped.length} fields, ${listBytes(dropped)} bytes)`);
    if (lost.length === 0) return undefined;
    const wantedBytes = this.wantedBytes;
    const text = `${wantedBytes} bytes, of which the client takes ${this.limitBytes}; left out: ${lost.join(", ")}`;
    return { wantedBytes, text };
  }

  /** A message that is far too long counts with its characters. */
  private get wantedBytes(): number {
    const { message, details } = this;
    const value = message.length <= this.limitBytes ? encodeStatusMessage(message) : message;
    const fields = [...this.head, this.code, ...this.metadata];
    if (message !== "") fields.push({ name: HeaderName.MESSAGE, value });
    if (details !== undefined) fields.push(details);
    return listBytes(fields);
  }
}

function fieldsOf(...all: readonly (Metadata | undefined)[]): Field[] {
  const fields: Field[] = [];
  for (const metadata of all) if (metadata !== undefined) appendMetadataFields(metadata, fields);
  return fields;
}

function sizeOf(name: string, value: string): number {
  return name.length + value.length + FIELD_OVERHEAD_BYTES;
}
