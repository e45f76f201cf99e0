/**
 * What HTTP/2 asks of TLS: ALPN h2, TLS 1.2 or later, and of TLS 1.2 only suites with ephemeral keys and AEAD. RFC 9113 §3.2,
 * §3.3, §9.2. Owns these rules for both roles. Compression is not built into Node; renegotiation is off per connection.
 */
import { createSecureContext, type SecureContextOptions, type TLSSocket } from "node:tls";
import type { OptionTable } from "../rpc/option-names.ts";
import { TlsCredentials } from "./tls-credentials.ts";
import type { TlsMaterial, TlsMaterialOptions } from "./tls-material.ts";

export interface TlsProtocolOptions {
  /** Default "TLSv1.2". */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /**
   * Cipher suites by their OpenSSL names, the preferred first. Default: those of TLS 1.3, and of TLS 1.2 ECDHE with AES-GCM or
   * ChaCha20-Poly1305. A connection that ends up with a suite that RFC 9113 Appendix A prohibits is closed.
   */
  readonly ciphers?: string;
}

export const TLS_PROTOCOL_OPTIONS = {
  minVersion: true,
  ciphers: true,
} as const satisfies OptionTable<TlsProtocolOptions>;

export interface ResolvedTlsProtocol {
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  readonly ciphers: string;
}

export const ALPN_PROTOCOLS: readonly string[] = ["h2"];

const DEFAULT_CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** Sessions that verified a client resume only where the same name is set. OpenSSL SSL_CTX_set_session_id_context. */
const SESSION_ID_CONTEXT = "volant";

/** Throws TypeError naming the option, what was given and what is allowed. */
export function resolveTlsProtocol(options: TlsProtocolOptions): ResolvedTlsProtocol {
  const { minVersion = "TLSv1.2", ciphers = DEFAULT_CIPHERS } = options;
  if (minVersion !== "TLSv1.2" && minVersion !== "TLSv1.3") {
    const given = JSON.stringify(minVersion);
    throw new TypeError(`tls.minVersion: ${given} given, "TLSv1.2" or "TLSv1.3" is allowed (RFC 9113 §9.2)`);
  }
  try {
    createSecureContext({ ciphers, minVersion });
  } catch (cause) {
    throw new TypeError(`tls.ciphers: ${JSON.stringify(ciphers)} given; OpenSSL knows none of these suites`, { cause });
  }
  return Object.freeze({ minVersion, ciphers });
}

/** `credentials`, or those that are given in place; throws TypeError for both, and as {@link TlsCredentials} does. */
export function resolveCredentials(options: TlsMaterialOptions & { credentials?: TlsCredentials }): TlsCredentials {
  const { credentials, cert, key, passphrase, ca } = options;
  if (credentials === undefined) return new TlsCredentials(withoutUndefined({ cert, key, passphrase, ca }));
  if (!(credentials instanceof TlsCredentials)) {
    throw new TypeError(
      "tls.credentials: it takes an object of the class TlsCredentials; give cert and key without it",
    );
  }
  const other = Object.entries({ cert, key, passphrase, ca }).find(([, given]) => given !== undefined);
  if (other !== undefined)
    throw new TypeError(`tls.${other[0]} was given together with tls.credentials; leave one out`);
  return credentials;
}

export function contextOptions(material: TlsMaterial, protocol: ResolvedTlsProtocol): SecureContextOptions {
  return withoutUndefined({ ...material, ...protocol, sessionIdContext: SESSION_ID_CONTEXT });
}

/** What is wrong with a handshake that succeeded: HTTP/2 must not be spoken there. */
export function findProtocolFault(socket: TLSSocket): "no-h2" | "prohibited-cipher" | undefined {
  if (socket.alpnProtocol !== "h2") return "no-h2";
  // RFC 9113 §9.2.2: Appendix A prohibits every suite of TLS 1.2 without an ephemeral key exchange and an AEAD.
  const { standardName, version } = socket.getCipher();
  const isAllowed =
    version === "TLSv1.3" || /^TLS_(?:ECDHE|DHE)_.+_(?:GCM|CCM|CCM_8|POLY1305)(?:_|$)/.test(standardName);
  return isAllowed ? undefined : "prohibited-cipher";
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(options: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<Defined<T>>;
}
