/**
 * Errors of Node and OpenSSL in a handshake, as a sentence for who has to mend it. Owns these words for both roles, and how an error
 * of TLS is told from others.
 */

export type TlsRole = "client" | "server";

type Reasons = readonly (readonly [code: RegExp, text: string])[];

const NO_COMMON_VERSION = "client and server have no version of TLS in common";
const NO_COMMON_CIPHER = "client and server have no cipher suite, or no kind of certificate, in common";

/** By Node's codes; those of alerts (RFC 8446 §6.2) contain the alert's name. */
const ON_CLIENT: Reasons = [
  [/^DEPTH_ZERO_SELF_SIGNED/, "the server's certificate is self-signed; give it as tls.ca to trust it"],
  [/^SELF_SIGNED/, "the server's certificate comes from a CA that is not trusted; give that CA as tls.ca"],
  [/^UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)/, "the CA of the server's certificate is unknown; give that CA as tls.ca"],
  [/^CERT_SIGNATURE_FAILURE/, "the server's certificate was not signed by the CA it names; give the right tls.ca"],
  [/^CERT_HAS_EXPIRED/, "the server's certificate has expired"],
  [/^CERT_NOT_YET_VALID/, "the server's certificate is not valid yet; check the clocks"],
  [/WRONG_VERSION|PACKET_LENGTH|RECORD_LAYER/, "the server does not speak TLS; check the port, or leave tls out"],
  [/NO_APPLICATION_PROTOCOL/, "the server does not offer HTTP/2 (ALPN h2)"],
  [/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/, NO_COMMON_VERSION],
  [/HANDSHAKE_FAILURE|NO_SHARED_CIPHER/, NO_COMMON_CIPHER],
  [/ALERT_CERTIFICATE_REQUIRED/, "the server requires a client certificate; give tls.cert and tls.key"],
  [/ALERT_(UNKNOWN_CA|\w*CERTIFICATE\w*)/, "the server did not accept the client certificate"],
  [/^ECONNRESET|^EPIPE/, "the server closed the connection in the TLS handshake; it may not speak TLS: check the port"],
];

const ON_SERVER: Reasons = [
  [/HTTP_REQUEST|HTTPS_PROXY/, "the client speaks HTTP without TLS"],
  [/WRONG_VERSION|PACKET_LENGTH|RECORD_LAYER|UNEXPECTED_MESSAGE/, "the client does not speak TLS"],
  [/NO_APPLICATION_PROTOCOL/, "the client does not offer HTTP/2 (ALPN h2)"],
  [/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/, NO_COMMON_VERSION],
  [/HANDSHAKE_FAILURE|NO_SHARED_CIPHER|NO_SUITABLE/, NO_COMMON_CIPHER],
  [/PEER_DID_NOT_RETURN/, "the client has no certificate, and tls.requestClientCert requires one"],
  [/ALERT_(UNKNOWN_CA|\w*CERTIFICATE\w*)/, "the client does not accept the server's certificate"],
  [/HANDSHAKE_TIMEOUT/, "it was not over within tls.handshakeTimeoutMs"],
  [/^ECONNRESET|^EPIPE/, "the client closed the connection; it may not trust the server's certificate"],
];

/** One line, with the code to search for. */
export function tlsReason(role: TlsRole, error: Error): string {
  const { code = "" } = error as NodeJS.ErrnoException;
  const text = reasonByCode(role, code);
  if (text !== undefined) return `${text} (${code})`;
  const words = opensslWords(error);
  return code === "" ? words : `${words} (${code})`;
}

/** Where the peer, whose half of the handshake ended later, did not accept a certificate. RFC 8446 §4.4.2.4. */
export function certificateReason(role: TlsRole, code: string): string | undefined {
  return OF_CERTIFICATES.test(code) ? `${reasonByCode(role, code)} (${code})` : undefined;
}

const OF_CERTIFICATES = /ALERT_(UNKNOWN_CA|\w*CERTIFICATE\w*)/;

function reasonByCode(role: TlsRole, code: string): string | undefined {
  const reasons = role === "client" ? ON_CLIENT : ON_SERVER;
  return reasons.find(([pattern]) => pattern.test(code))?.[1];
}

/** OpenSSL puts a thread, a code and its own source files around the words: 80D2…:error:0A00010B:SSL routines:function:words:file:line:. */
const OF_OPENSSL = /error:[0-9A-F]{8}:[^:]*:[^:]*:([^:]*)/i;

/** True for what OpenSSL or Node's TLS found, false for what the system says of the socket below. Writes have it as EPROTO. */
export function isTlsError(error: Error): boolean {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return /^ERR_(SSL|TLS)_/.test(code) || OF_OPENSSL.test(message);
}

/** What went wrong, without what stands around it. */
export function opensslWords({ message }: Error): string {
  const words = OF_OPENSSL.exec(message)?.[1];
  return words === undefined ? message.trim() : words.trim() || "OpenSSL has no words for it";
}
