/**
 * The headers that a handler sets. Owns one rule: once they are sent, changing them is a mistake that must not pass in
 * silence, whoever still holds the object.
 */
import { Metadata, type MetadataInit } from "../rpc/metadata.ts";

type Entry = Parameters<Metadata["append"]>;

export class ResponseHeaders extends Metadata {
  readonly #isSent: () => boolean;

  constructor(isSent: () => boolean) {
    super();
    this.#isSent = isSent;
  }

  override set(...[key, value]: Entry): this {
    this.#refuseSent();
    return super.set(key, value);
  }

  override append(...[key, value]: Entry): this {
    this.#refuseSent();
    return super.append(key, value);
  }

  override delete(key: string): boolean {
    this.#refuseSent();
    return super.delete(key);
  }

  override merge(other: MetadataInit): this {
    this.#refuseSent();
    return super.merge(other);
  }

  #refuseSent(): void {
    if (!this.#isSent()) return;
    throw new TypeError(
      "the headers of this call are sent; change them before the first message, or send metadata as trailers",
    );
  }
}
