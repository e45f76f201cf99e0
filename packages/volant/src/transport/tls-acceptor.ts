/**
 * The server's half of TLS handshakes. Owns sockets from accept until their handshake is over, and the certificates in use;
 * knows no HTTP/2 but its name. RFC 9113 §3.2, §9.2, RFC 6066 §3.
 *
 * Invariant: each socket either is handed over once or is destroyed, and no handshake takes longer than its timeout.
 */
import type { Socket } from "node:net";
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type TLSSocket,
  type Server as TlsServer,
} from "node:tls";
import { ChurningSet } from "./churning-set.ts";
import { peerAddress } from "./socket-wire.ts";
import type { TlsCredentials } from "./tls-credentials.ts";
import { HandshakeFailures, type TlsHandshakeError } from "./tls-failures.ts";
import { TlsIdentity } from "./tls-identity.ts";
import { ALPN_PROTOCOLS, contextOptions, findProtocolFault } from "./tls-protocol.ts";
import { tlsReason } from "./tls-reason.ts";
import type { ResolvedServerTls } from "./tls-server-options.ts";

export interface TlsAcceptorEvents {
  /** The handshake is over and HTTP/2 is agreed on. */
  onSecure(socket: TLSSocket, identity: TlsIdentity): void;
  onFailed(error: TlsHandshakeError): void;
}

const NO_ALPN_TEXT = "This port speaks HTTP/2 (gRPC) only: offer h2 in ALPN.\n";
/** For a client that offers no protocol at all: it most likely reads HTTP/1.1. RFC 9110 §15.6.6. */
const NO_ALPN_ANSWER =
  "HTTP/1.1 505 HTTP Version Not Supported\r\nConnection: close\r\nContent-Type: text/plain\r\n" +
  `Content-Length: ${NO_ALPN_TEXT.length}\r\n\r\n${NO_ALPN_TEXT}`;

export class TlsAcceptor {
  private readonly options: ResolvedServerTls;
  private readonly events: TlsAcceptorEvents;
  private readonly path: string | undefined;
  /** It never listens: it is given the sockets. */
  private readonly server: TlsServer;
  /** What is below TLS. */
  private readonly handshakes = new ChurningSet<Socket>();
  /** Once a socket is closed it tells none. */
  private readonly peers = new WeakMap<Socket, string>();
  private isClosed = false;
  private readonly failures: HandshakeFailures;
  /** By credentials: two names may share them. */
  private readonly contexts = new Map<TlsCredentials, SecureContext>();
  private readonly stops: (() => void)[];

  /** `path`: of the Unix socket that the sockets come from. */
  constructor(options: ResolvedServerTls, path: string | undefined, events: TlsAcceptorEvents) {
    this.options = options;
    this.path = path;
    this.events = events;
    this.failures = new HandshakeFailures((error) => events.onFailed(error));
    const { requestClientCert, protocol, credentials, handshakeTimeoutMs, serverNames } = options;
    this.server = createServer({
      ...contextOptions(credentials.current, protocol),
      ALPNProtocols: [...ALPN_PROTOCOLS],
      handshakeTimeout: handshakeTimeoutMs,
      requestCert: requestClientCert !== "none",
      rejectUnauthorized: requestClientCert === "require",
      // A map and no code of the application's: what a callback throws here ended the process (CVE-2026-21637).
      SNICallback: (name, done) => done(null, this.contextOf(name)),
    });
    this.server.on("secureConnection", (socket) => this.onSecure(socket));
    this.server.on("tlsClientError", (error, socket) => this.onFailed(error, socket));
    for (const named of serverNames.values()) this.prepare(named);
    const all = new Set([credentials, ...serverNames.values()]);
    this.stops = [...all].map((used) => used.onUpdated(() => this.onUpdated(used)));
  }

  /** Handshakes under way. */
  get size(): number {
    return this.handshakes.size;
  }

  handle(socket: Socket): void {
    this.handshakes.add(socket);
    this.peers.set(socket, peerAddress(socket, this.path));
    socket.once("close", () => this.handshakes.delete(socket));
    this.server.emit("connection", socket);
  }

  /** Ends the handshakes under way. */
  close(): void {
    for (const stop of this.stops) stop();
    this.isClosed = true;
    for (const socket of this.handshakes.values()) socket.destroy();
    this.failures.close();
  }

  /** New contexts have new ticket keys: nobody resumes what the old certificates, or the old CA, had allowed. */
  private onUpdated(credentials: TlsCredentials): void {
    const { options } = this;
    if (credentials === options.credentials) {
      this.server.setSecureContext(contextOptions(credentials.current, options.protocol));
      for (const named of options.serverNames.values()) this.prepare(named);
    } else this.prepare(credentials);
  }

  private prepare(named: TlsCredentials): void {
    const { ca } = this.options.credentials.current;
    this.contexts.set(named, createSecureContext(contextOptions({ ...named.current, ca }, this.options.protocol)));
  }

  private contextOf(name: string): SecureContext | undefined {
    const { serverNames } = this.options;
    const asked = name.toLowerCase();
    const named = serverNames.get(asked) ?? serverNames.get(asked.replace(/^[^.]*/, "*"));
    return named && this.contexts.get(named);
  }

  private onSecure(socket: TLSSocket): void {
    const raw = belowTls(socket);
    this.handshakes.delete(raw);
    // RFC 9113 §9.2.1: renegotiation must be off. Node reports one that is tried, and leaves the end to us.
    socket.disableRenegotiation();
    socket.on("error", () => socket.destroy());
    const reason = this.findFault(socket);
    if (reason === undefined) {
      this.events.onSecure(socket, new TlsIdentity(socket));
      return;
    }
    if (socket.alpnProtocol === false) socket.write(NO_ALPN_ANSWER);
    socket.destroySoon();
    this.report(raw, reason, undefined);
  }

  private findFault(socket: TLSSocket): string | undefined {
    const fault = findProtocolFault(socket);
    if (fault === "no-h2") return "the client offers no protocol (ALPN), HTTP/2 is required";
    if (fault !== undefined)
      return `the cipher suite ${socket.getCipher().standardName} is prohibited (RFC 9113 §9.2.2)`;
    if (this.options.requestClientCert !== "request" || socket.authorized) return undefined;
    const hasCertificate = socket.getPeerCertificate()?.fingerprint256 !== undefined;
    return hasCertificate ? refusedCertificate(socket) : undefined;
  }

  private onFailed(error: Error, socket: TLSSocket): void {
    const raw = belowTls(socket);
    const isSilent = raw.bytesRead === 0 && (error as NodeJS.ErrnoException).code === "ECONNRESET";
    this.handshakes.delete(raw);
    socket.destroy();
    // Who only looks whether the port is open (a load balancer's check) has done nothing wrong.
    if (isSilent || this.isClosed) return;
    this.report(raw, socket.authorizationError ? refusedCertificate(socket) : tlsReason("server", error), error);
  }

  private report(raw: Socket, reason: string, cause: unknown): void {
    this.failures.add({ peer: this.peers.get(raw)!, reason, cause });
  }
}

function refusedCertificate(socket: TLSSocket): string {
  return `the client's certificate is not accepted (${String(socket.authorizationError)})`;
}

/** The socket that was given to TLS. Node has no public name for it. */
function belowTls(socket: TLSSocket): Socket {
  return (socket as unknown as { readonly _parent: Socket })._parent;
}
