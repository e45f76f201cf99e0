/**
 * An interned header name: its token and whether HTTP/2 allows it, found out once per name instead of once per field.
 * Owns the rules for names. Must not know values, table indices or header blocks. Immutable.
 * RFC 9113 §8.2.1 (characters), §8.2.2 (connection-specific fields), §8.3 (pseudo-headers); RFC 9110 §5.6.2 (token).
 */
import { HeaderToken, isConnectionSpecificToken, TOKEN_BY_NAME } from "./header-token.ts";

/** The first rule that a field breaks. HPACK itself carries any octets, so this is a verdict, not a decoding error. */
export const FieldValidity = {
  OK: 0,
  EMPTY_NAME: 1,
  ILLEGAL_NAME: 2,
  UPPERCASE_NAME: 3,
  UNKNOWN_PSEUDO: 4,
  /** connection, keep-alive, proxy-connection, transfer-encoding, upgrade; `te` with anything but "trailers". */
  CONNECTION_SPECIFIC: 5,
  /** CR, LF or NUL in the value: the octets of response splitting behind an HTTP/1 proxy. */
  ILLEGAL_VALUE: 6,
  /** Space or tab at either end of the value. */
  PADDED_VALUE: 7,
} as const;

export type FieldValidity = (typeof FieldValidity)[keyof typeof FieldValidity];

const COLON = 0x3a;
const UPPERCASE_A = 0x41;
const UPPERCASE_Z = 0x5a;

/** 1 for every octet of a lower-case token. */
const TOKEN_OCTETS = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
  TOKEN_OCTETS[character.charCodeAt(0)] = 1;
}

export class FieldName {
  readonly text: string;
  readonly token: HeaderToken;
  readonly validity: FieldValidity;

  private constructor(text: string, token: HeaderToken) {
    this.text = text;
    this.token = token;
    this.validity = nameValidity(text, token);
  }

  /** The shared object of a name that has a token, else a new one. Names a peer makes up are not kept. */
  static of(text: string): FieldName {
    return FieldName.#known.get(text) ?? new FieldName(text, HeaderToken.OTHER);
  }

  static readonly #known: ReadonlyMap<string, FieldName> = new Map(
    Array.from(TOKEN_BY_NAME, ([text, token]) => [text, new FieldName(text, token)]),
  );
}

function nameValidity(text: string, token: HeaderToken): FieldValidity {
  if (token !== HeaderToken.OTHER) {
    return isConnectionSpecificToken(token) ? FieldValidity.CONNECTION_SPECIFIC : FieldValidity.OK;
  }
  if (text.length === 0) return FieldValidity.EMPTY_NAME;
  const isPseudo = text.charCodeAt(0) === COLON;
  let validity: FieldValidity = isPseudo ? FieldValidity.UNKNOWN_PSEUDO : FieldValidity.OK;
  for (let at = isPseudo ? 1 : 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (TOKEN_OCTETS[code] === 1) continue;
    if (code < UPPERCASE_A || code > UPPERCASE_Z) return FieldValidity.ILLEGAL_NAME;
    validity = FieldValidity.UPPERCASE_NAME;
  }
  return validity;
}
