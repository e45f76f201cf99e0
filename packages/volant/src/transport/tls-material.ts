/**
 * Certificates and keys as the application gives them: PEM text, checked as soon as it is given, so that a mistake is found
 * at the start or at a reload and not at the first handshake. Owns that check and its words; opens nothing.
 *
 * Invariant: no error says anything of what a key contains.
 */
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { checkOptions, type OptionTable } from "../rpc/option-names.ts";

/** PEM text. */
export type Pem = string | Uint8Array;

export interface TlsMaterialOptions {
  /** The certificate of this side and then those between it and its CA. */
  readonly cert?: Pem;
  /** The private key of `cert`. */
  readonly key?: Pem;
  /** Of an encrypted `key`. */
  readonly passphrase?: string;
  /** Certificates of the CAs that the other side's certificate must come from. A client's default: those of Node. */
  readonly ca?: Pem | readonly Pem[];
}

export const TLS_MATERIAL_OPTIONS = {
  cert: true,
  key: true,
  passphrase: true,
  ca: true,
} as const satisfies OptionTable<TlsMaterialOptions>;

export interface TlsMaterial {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly passphrase: string | undefined;
  readonly ca: string | undefined;
}

const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/;
const PRIVATE_KEY = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/;

/** Throws TypeError that names the option and says what is wrong with it. */
export function resolveTlsMaterial(options: TlsMaterialOptions): TlsMaterial {
  checkOptions("new TlsCredentials()", options ?? null, TLS_MATERIAL_OPTIONS);
  const { passphrase } = options;
  const cert = pemText("cert", options.cert, CERTIFICATE, "certificate (BEGIN CERTIFICATE)");
  const key = pemText("key", options.key, PRIVATE_KEY, "private key (BEGIN PRIVATE KEY)");
  const ca = joinedCa(options.ca);
  if (passphrase !== undefined && typeof passphrase !== "string") {
    throw new TypeError(`tls.passphrase: a ${typeof passphrase} given, a string is allowed`);
  }
  if (cert === undefined && key !== undefined) throw new TypeError("tls.cert is missing: tls.key was given without it");
  if (key === undefined && cert !== undefined) throw new TypeError("tls.key is missing: tls.cert was given without it");
  if (ca !== undefined) attempt("ca", { cert: ca });
  if (cert !== undefined && key !== undefined) checkPair(cert, key, passphrase);
  return Object.freeze({ cert, key, passphrase, ca });
}

function pemText(name: string, given: Pem | undefined, label: RegExp, what: string): string | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== "string" && !ArrayBuffer.isView(given)) {
    throw new TypeError(`tls.${name}: ${given === null ? "null" : `a ${typeof given}`} given, PEM text is allowed`);
  }
  const text = typeof given === "string" ? given : Buffer.from(given).toString("latin1");
  if (label.test(text)) return text;
  const isPath = text !== "" && text.length < 1_024 && !/[\n\0]/.test(text);
  const advice = isPath ? "; if this is the name of a file, give what the file contains" : "";
  throw new TypeError(`tls.${name}: there is no ${what} in PEM form in it${advice}`);
}

function joinedCa(given: TlsMaterialOptions["ca"]): string | undefined {
  if (given === undefined) return undefined;
  const list = Array.isArray(given) ? given : [given];
  if (list.length === 0) throw new TypeError("tls.ca: an empty list given; leave it out, or give a certificate");
  return list.map((pem) => pemText("ca", pem, CERTIFICATE, "certificate (BEGIN CERTIFICATE)")).join("\n");
}

function checkPair(cert: string, key: string, passphrase: string | undefined): void {
  attempt("cert", { cert });
  attempt("key", passphrase === undefined ? { key } : { key, passphrase });
  const [ofCert, ofKey] = [algorithmOf(cert), algorithmOf(key)];
  if (ofCert !== undefined && ofKey !== undefined && ofCert !== ofKey) {
    throw new TypeError(`tls.key: the key is ${ofKey}, but the certificate in tls.cert is for a key of ${ofCert}`);
  }
  attempt("key", passphrase === undefined ? { cert, key } : { cert, key, passphrase });
}

/** OpenSSL's reasons that say little to who has to mend it. */
const ADVICE: Readonly<Record<string, string>> = {
  ERR_OSSL_BAD_DECRYPT: "it is encrypted, and tls.passphrase is missing or wrong",
  ERR_OSSL_UNSUPPORTED: "it cannot be read as a private key",
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: "it does not belong to the certificate in tls.cert",
};

function attempt(name: "cert" | "key" | "ca", options: SecureContextOptions): void {
  try {
    createSecureContext(options);
  } catch (cause) {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    const reason = ADVICE[code] ?? `it cannot be read (${message.split(":").at(-1)!.trim()})`;
    throw new TypeError(`tls.${name}: ${reason}`, { cause });
  }
}

/** Identifiers of public-key algorithms in DER. RFC 3279 §2.3.1, §2.3.5, RFC 8410 §3. */
const ALGORITHMS: readonly (readonly [name: string, der: string])[] = [
  ["RSA", "06092a864886f70d010101"],
  ["EC", "06072a8648ce3d0201"],
  ["Ed25519", "06032b6570"],
];

/**
 * Of the first block; undefined where it does not say. OpenSSL keeps a certificate and a key of different algorithms apart
 * and finds nothing wrong; then every handshake fails.
 */
function algorithmOf(pem: string): string | undefined {
  const [, base64 = ""] = /-----BEGIN [A-Z0-9 ]+-----([A-Za-z0-9+/=\s]+)-----END/.exec(pem) ?? [];
  const der = Buffer.from(base64, "base64").toString("hex");
  return ALGORITHMS.find(([, identifier]) => der.includes(identifier))?.[0];
}
