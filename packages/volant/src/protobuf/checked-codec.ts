/**
 * A codec that refuses what encoding would drop or misread: for development, in the place of the codec that it wraps, which stays as
 * it is. Owns when a message is checked: once, before it is encoded.
 */
import type { DescMessage } from "@bufbuild/protobuf";
import type { MessageCodec } from "./codec.ts";
import { EncodeError } from "./codec-error.ts";
import { findShapeFault } from "./shape-fault.ts";

type AnyCodec = MessageCodec<unknown, unknown>;

export class CheckedCodec implements AnyCodec {
  private readonly codec: AnyCodec;
  private readonly desc: DescMessage;
  /** A message that was checked and had no room; it is encoded again at once. */
  private checked: unknown = undefined;

  constructor(codec: AnyCodec, desc: DescMessage) {
    this.codec = codec;
    this.desc = desc;
  }

  get estimate(): number {
    return this.codec.estimate;
  }

  decode(bytes: Buffer, start: number, end: number): unknown {
    return this.codec.decode(bytes, start, end);
  }

  encode(message: unknown): Uint8Array {
    if (this.checked !== message || message === undefined) this.check(message);
    this.checked = undefined;
    return this.codec.encode(message);
  }

  encodeInto(message: unknown, target: Buffer, offset: number, limit: number): number {
    this.checked = undefined;
    this.check(message);
    const length = this.codec.encodeInto(message, target, offset, limit);
    if (length < 0) this.checked = message;
    return length;
  }

  private check(message: unknown): void {
    const fault = findShapeFault(this.desc, message);
    if (fault === undefined) return;
    const path = fault.path.join("").replace(/^\./, "");
    throw new EncodeError(this.desc.typeName, path === "" ? undefined : path, fault.reason);
  }
}
