/**
 * Small integers for the header names that the layers above switch on. Owns the one list of them; the name on the wire
 * is derived from the key: lower case, `_` for `-`, a colon in front of a pseudo-header. Knows nothing of values.
 * RFC 9113 §8.3, RFC 8441 §4; the gRPC over HTTP/2 specification for the `grpc-` names.
 */

/** Pseudo-headers come first, so that `token <= PROTOCOL` asks for one once OTHER is excluded. */
export const HeaderToken = {
  OTHER: 0,
  METHOD: 1,
  SCHEME: 2,
  AUTHORITY: 3,
  PATH: 4,
  STATUS: 5,
  PROTOCOL: 6,
  CONTENT_TYPE: 7,
  TE: 8,
  HOST: 9,
  CONTENT_LENGTH: 10,
  USER_AGENT: 11,
  GRPC_TIMEOUT: 12,
  GRPC_ENCODING: 13,
  GRPC_ACCEPT_ENCODING: 14,
  GRPC_STATUS: 15,
  GRPC_MESSAGE: 16,
  GRPC_STATUS_DETAILS_BIN: 17,
  GRPC_PREVIOUS_RPC_ATTEMPTS: 18,
  GRPC_RETRY_PUSHBACK_MS: 19,
  AUTHORIZATION: 20,
  COOKIE: 21,
  TRACEPARENT: 22,
  TRACESTATE: 23,
  CONNECTION: 24,
  KEEP_ALIVE: 25,
  PROXY_CONNECTION: 26,
  TRANSFER_ENCODING: 27,
  UPGRADE: 28,
} as const;

export type HeaderToken = (typeof HeaderToken)[keyof typeof HeaderToken];

export function isPseudoToken(token: HeaderToken): boolean {
  return token !== HeaderToken.OTHER && token <= HeaderToken.PROTOCOL;
}

/** RFC 9113 §8.2.2: fields that belong to one HTTP/1 connection and make an HTTP/2 message malformed. */
export function isConnectionSpecificToken(token: HeaderToken): boolean {
  return token >= HeaderToken.CONNECTION;
}

function wireName(key: string, token: HeaderToken): string {
  return (isPseudoToken(token) ? ":" : "") + key.toLowerCase().replaceAll("_", "-");
}

/** Wire name → token, for every token but OTHER. */
export const TOKEN_BY_NAME: ReadonlyMap<string, HeaderToken> = new Map(
  Object.entries(HeaderToken)
    .filter(([, token]) => token !== HeaderToken.OTHER)
    .map(([key, token]) => [wireName(key, token), token]),
);
