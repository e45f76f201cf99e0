/**
 * The header names that gRPC itself speaks, and which names an application may set or see.
 *
 * Must not know: values, and who is client and who is server.
 * Invariant: a name that decides how a call is framed, routed or ended never comes from an application and never shows
 * up in its metadata.
 * Spec: gRPC PROTOCOL-HTTP2 "Requests", "Responses"; gRFC A6 for the two retry headers; RFC 9113 §8.2.2, §8.3.
 */

/** One header field on the wire. The value is a latin1 string: one character an octet. */
export interface Field {
  readonly name: string;
  readonly value: string;
}

export const HeaderName = {
  CONTENT_TYPE: "content-type",
  TE: "te",
  USER_AGENT: "user-agent",
  STATUS: "grpc-status",
  MESSAGE: "grpc-message",
  STATUS_DETAILS: "grpc-status-details-bin",
  TIMEOUT: "grpc-timeout",
  ENCODING: "grpc-encoding",
  ACCEPT_ENCODING: "grpc-accept-encoding",
  PREVIOUS_RPC_ATTEMPTS: "grpc-previous-rpc-attempts",
  RETRY_PUSHBACK: "grpc-retry-pushback-ms",
} as const;

/** Words between the two ends of a connection: consumed below the application, in both directions. */
const PROTOCOL_NAMES: ReadonlySet<string> = new Set([
  HeaderName.CONTENT_TYPE,
  HeaderName.TE,
  HeaderName.STATUS,
  HeaderName.MESSAGE,
  HeaderName.STATUS_DETAILS,
  HeaderName.TIMEOUT,
  HeaderName.ENCODING,
  HeaderName.ACCEPT_ENCODING,
  "grpc-message-type",
  "content-length",
  "host",
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** The names under `grpc-` that applications do set: a server's retry pushback and the two tracing contexts. */
const APPLICATION_GRPC_NAMES: ReadonlySet<string> = new Set([
  HeaderName.RETRY_PUSHBACK,
  "grpc-trace-bin",
  "grpc-tags-bin",
]);

/** Whether an application must not set this (lower-case) name: the library sets it, or nobody may. */
export function isReservedName(name: string): boolean {
  if (name.startsWith("grpc-")) return !APPLICATION_GRPC_NAMES.has(name);
  return name === HeaderName.USER_AGENT || isProtocolName(name);
}

/** Whether a received (lower-case) name is protocol and therefore no part of the metadata an application sees. */
export function isProtocolName(name: string): boolean {
  return name.startsWith(":") || PROTOCOL_NAMES.has(name);
}

/**
 * The value of a field that may be there once, which was there before as `earlier`. Two that agree are one. Two that differ
 * are read as the list that they stand for (RFC 9110 §5.3), which no such field takes: whoever is in front of us and whoever
 * is behind must not read two requests, or two statuses, out of one.
 */
export function singleValue(earlier: string | undefined, value: string): string {
  return earlier === undefined || earlier === value ? value : `${earlier}, ${value}`;
}
