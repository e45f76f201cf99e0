/**
 * Page tokens: where a listing goes on, signed, so that a caller can neither read a meaning into them nor make one up.
 * A token is base64url of: version (1 byte), MAC (16), fingerprint of filter and order (8), JSON of page and position.
 *
 * Invariants: only what this key signed is opened; a token is good for one filter and one order only, since a keyset
 * position means nothing in another listing. The MAC is compared in constant time and before anything is parsed.
 */

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { UserCursor, UserOrder } from "../storage/user-store.ts";
import { invalidArgument } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { orderText } from "./order.ts";

const VERSION = 1;
const MAC_START = 1;
const FINGERPRINT_START = MAC_START + 16;
const BODY_START = FINGERPRINT_START + 8;

export interface PagePosition {
  /** 1-based number of the page that starts after `after`. */
  readonly page: number;
  readonly after: UserCursor;
}

export class PageTokens {
  readonly #key: string | Uint8Array;

  constructor(key: string | Uint8Array) {
    this.#key = key;
  }

  seal(position: PagePosition, filter: string, order: UserOrder): string {
    const body = JSON.stringify([position.page, position.after.value, position.after.id]);
    const token = Buffer.alloc(BODY_START + Buffer.byteLength(body));
    token[0] = VERSION;
    fingerprint(filter, order).copy(token, FINGERPRINT_START);
    token.write(body, BODY_START);
    this.#mac(token).copy(token, MAC_START);
    return token.toString("base64url");
  }

  /** Throws INVALID_ARGUMENT for a token that is damaged, forged, or of another listing. */
  open(text: string, filter: string, order: UserOrder): PagePosition {
    const token = text.length > LIMITS.pageTokenChars ? Buffer.alloc(0) : Buffer.from(text, "base64url");
    // Buffer skips what is not base64url; only the one spelling that `seal` writes is a token.
    if (token.length <= BODY_START || token[0] !== VERSION || token.toString("base64url") !== text) throw notAToken();
    if (!timingSafeEqual(token.subarray(MAC_START, FINGERPRINT_START), this.#mac(token))) throw notAToken();
    if (!token.subarray(FINGERPRINT_START, BODY_START).equals(fingerprint(filter, order))) throw otherListing();
    const [page, value, id] = JSON.parse(token.toString("utf8", BODY_START)) as [number, string, string];
    return { page, after: { value, id } };
  }

  #mac(token: Buffer): Buffer {
    return createHmac("sha256", this.#key)
      .update("volant users page token")
      .update(token.subarray(0, MAC_START))
      .update(token.subarray(FINGERPRINT_START))
      .digest()
      .subarray(0, FINGERPRINT_START - MAC_START);
  }
}

function fingerprint(filter: string, order: UserOrder): Buffer {
  const digest = createHash("sha256")
    .update(`${orderText(order)}\n${filter}`)
    .digest();
  return digest.subarray(0, BODY_START - FINGERPRINT_START);
}

function notAToken(): Error {
  return invalidArgument(
    "page_token is not valid: send next_page_token of the page before unchanged, or none to start over",
    { page_token: "is not a token of this service, or no longer valid" },
  );
}

function otherListing(): Error {
  return invalidArgument(
    "page_token belongs to another filter or sort_by: send the same ones as before, or no token to start over",
    { page_token: "belongs to another filter or sort_by" },
  );
}
