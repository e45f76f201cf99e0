/**
 * `tls` of a listener: its options and their check. Owns defaults; inside, only the resolved form is seen.
 */
import { createSecureContext } from "node:tls";
import { checkOptions, describeGiven, isOptionsObject, type OptionTable } from "../rpc/option-names.ts";
import { TlsCredentials } from "./tls-credentials.ts";
import { TLS_MATERIAL_OPTIONS, type TlsMaterialOptions } from "./tls-material.ts";
import {
  contextOptions,
  type ResolvedTlsProtocol,
  resolveCredentials,
  resolveTlsProtocol,
  TLS_PROTOCOL_OPTIONS,
  type TlsProtocolOptions,
} from "./tls-protocol.ts";

export interface ServerTlsOptions extends TlsMaterialOptions, TlsProtocolOptions {
  /** Certificates that can be replaced, instead of `cert`, `key`, `passphrase` and `ca`. */
  readonly credentials?: TlsCredentials;
  /**
   * "none": clients are not asked for a certificate. "request": one that has none is served, `call.peer.tls.authorized` is
   * false then. "require": such a client is refused. A certificate that does not come from `ca`, or has expired, is refused
   * by both. Default "none"; it must be said where `ca` is given in place.
   */
  readonly requestClientCert?: "none" | "request" | "require";
  /**
   * Other certificates by the name that the client asks for (SNI, RFC 6066 §3): "api.example.com", or "*.example.com" for
   * one label. A name that is not here gets the certificate of the listener. Clients are verified by the listener's `ca`.
   */
  readonly serverNames?: Readonly<Record<string, Omit<TlsMaterialOptions, "ca"> | TlsCredentials>>;
  /** From the first octet to the end of the handshake. Default 10,000 ms. Without it silent sockets stay for ever. */
  readonly handshakeTimeoutMs?: number;
}

const SERVER_TLS_OPTIONS = {
  ...TLS_MATERIAL_OPTIONS,
  ...TLS_PROTOCOL_OPTIONS,
  credentials: true,
  requestClientCert: true,
  serverNames: true,
  handshakeTimeoutMs: true,
} as const satisfies OptionTable<ServerTlsOptions>;

export interface ResolvedServerTls {
  readonly credentials: TlsCredentials;
  readonly requestClientCert: "none" | "request" | "require";
  /** Names in lower case. */
  readonly serverNames: ReadonlyMap<string, TlsCredentials>;
  readonly protocol: ResolvedTlsProtocol;
  readonly handshakeTimeoutMs: number;
}

const LONGEST_TIMER_MS = 0x7fff_ffff;
const NAME = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/** Throws TypeError or RangeError naming the option, what was given and what is allowed. */
export function resolveServerTls(options: ServerTlsOptions): ResolvedServerTls {
  checkOptions("server.listen(): tls", options, SERVER_TLS_OPTIONS);
  const { requestClientCert, handshakeTimeoutMs = 10_000 } = options;
  if (!(handshakeTimeoutMs >= 1 && handshakeTimeoutMs <= LONGEST_TIMER_MS)) {
    const range = `a number from 1 to ${LONGEST_TIMER_MS} is allowed`;
    throw new RangeError(`tls.handshakeTimeoutMs: ${String(handshakeTimeoutMs)} given, ${range}`);
  }
  const protocol = resolveTlsProtocol(options);
  const credentials = resolveCredentials(options);
  requireCert("tls", credentials);
  checkRequestClientCert(requestClientCert, options.ca !== undefined, credentials);
  const resolved: ResolvedServerTls = Object.freeze({
    credentials,
    requestClientCert: requestClientCert ?? "none",
    serverNames: resolveServerNames(options.serverNames ?? {}),
    protocol,
    handshakeTimeoutMs,
  });
  // A certificate that these ciphers and versions have no use for is found now.
  createSecureContext(contextOptions(credentials.current, protocol));
  return resolved;
}

export function requireCert(where: string, credentials: TlsCredentials): void {
  if (credentials.current.cert === undefined) {
    throw new TypeError(`${where}.cert is missing: a server needs a certificate and its key in PEM form`);
  }
}

function checkRequestClientCert(given: unknown, hasOwnCa: boolean, { current }: TlsCredentials): void {
  const allowed = '"none", "request" (a client may have none) or "require" is allowed';
  if (given !== undefined && given !== "none" && given !== "request" && given !== "require") {
    throw new TypeError(`tls.requestClientCert: ${JSON.stringify(given)} given, ${allowed}`);
  }
  // Whoever gives a CA in place means to verify clients; to accept everybody then would be a silent hole.
  if (given === undefined && hasOwnCa) {
    throw new TypeError(`tls.ca was given without tls.requestClientCert: ${allowed}`);
  }
  // Without a CA of its own Node would trust every public one.
  if (given !== undefined && given !== "none" && current.ca === undefined) {
    throw new TypeError("tls.ca is missing: tls.requestClientCert needs the CA that clients' certificates come from");
  }
}

function resolveServerNames(given: NonNullable<ServerTlsOptions["serverNames"]>): Map<string, TlsCredentials> {
  if (!isOptionsObject(given)) {
    throw new TypeError(`tls.serverNames: ${describeGiven(given)} given, an object of host names is allowed`);
  }
  const names = new Map<string, TlsCredentials>();
  for (const [written, identity] of Object.entries(given)) {
    const name = written.toLowerCase();
    const where = `tls.serverNames[${JSON.stringify(written)}]`;
    if (!NAME.test(name)) throw new TypeError(`${where}: it takes a host name, or *. and one`);
    const credentials = identity instanceof TlsCredentials ? identity : credentialsOf(where, identity);
    requireCert(where, credentials);
    names.set(name, credentials);
  }
  return names;
}

function credentialsOf(where: string, identity: TlsMaterialOptions): TlsCredentials {
  checkOptions(where, identity ?? null, TLS_MATERIAL_OPTIONS);
  if (identity.ca !== undefined)
    throw new TypeError(`${where}.ca: clients are verified by tls.ca, whatever name they use`);
  try {
    return new TlsCredentials(identity);
  } catch (cause) {
    throw new TypeError(`${where}: ${(cause as Error).message}`, { cause });
  }
}
