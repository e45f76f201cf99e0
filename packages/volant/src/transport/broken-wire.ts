/**
 * Why a connection broke below HTTP/2, out of the error of its socket: a sentence for the calls that it ends, and the fault that is
 * counted. Owns these words for both roles; those for handshakes are in `tls-reason.ts`.
 *
 * What OpenSSL says is not shown as it is: it has thread ids, hexadecimal codes and paths of its own sources in it, and they
 * would reach whoever reads a status.
 */
import { connectionFault, ErrorCode, type Fault } from "../http2/index.ts";
import { certificateReason, isTlsError, opensslWords, type TlsRole } from "./tls-reason.ts";

/** A record that cannot be read or an alert: somebody in between, or a broken peer. An end without either is ordinary. */
export const TLS_BROKEN: Fault = connectionFault(ErrorCode.PROTOCOL_ERROR, "tls-broken", "remote");

/** What is counted for it; undefined where peers do it every day. */
export function faultOfBreak(error: Error | undefined): Fault | undefined {
  return error !== undefined && isTlsError(error) ? TLS_BROKEN : undefined;
}

const OF_SYSTEM: Readonly<Record<string, (peer: string) => string>> = {
  ECONNRESET: (peer) => `the ${peer} reset it`,
  EPIPE: (peer) => `the ${peer} had closed it`,
  ETIMEDOUT: (peer) => `the host of the ${peer} has answered nothing for too long`,
  EHOSTUNREACH: (peer) => `the host of the ${peer} cannot be reached any more`,
  EHOSTDOWN: (peer) => `the host of the ${peer} cannot be reached any more`,
  ENETUNREACH: (peer) => `the network of the ${peer} cannot be reached any more`,
  ENETDOWN: () => "the network of this machine is down",
  ECONNABORTED: () => "the system of this machine ended it",
};

/** One line, with the code to search for. `role` is ours. */
export function breakReason(role: TlsRole, error: Error): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  const peer = role === "client" ? "server" : "client";
  if (isTlsError(error)) return `TLS: ${tlsBreak(peer, role, error)}`;
  const words = OF_SYSTEM[code]?.(peer);
  return words === undefined ? message : `${words} (${code})`;
}

function tlsBreak(peer: string, role: TlsRole, error: Error): string {
  const { code = "" } = error as NodeJS.ErrnoException;
  const certificate = certificateReason(role, code);
  if (certificate !== undefined) return certificate;
  const words = opensslWords(error);
  if (/RENEGOTIATION/.test(code)) return `the ${peer} wants to renegotiate, which HTTP/2 forbids (${code})`;
  const alert = /alert (.+)$/.exec(words)?.[1];
  if (alert !== undefined) return `the ${peer} ended the connection with the alert "${alert}" (${code})`;
  return `what the ${peer} sent cannot be read: ${words} (${code})`;
}
