/**
 * One listening socket. Owns the Node server and the way of a socket from accept to the end of its TLS handshake, where there
 * is one; knows no HTTP/2.
 */
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from "node:net";
import { checkOptions, describeGiven, type OptionTable } from "../rpc/option-names.ts";
import { describeNumber } from "../rpc/option-range.ts";
import { TlsAcceptor } from "../transport/tls-acceptor.ts";
import type { TlsIdentity } from "../transport/tls-identity.ts";
import { type ResolvedServerTls, resolveServerTls, type ServerTlsOptions } from "../transport/tls-server-options.ts";

export interface ListenOptions {
  /** TCP port, 0 to 65,535; 0 takes a free one. Default 0. */
  readonly port?: number;
  /** Address to listen on. Default "0.0.0.0". */
  readonly host?: string;
  /** Unix socket to listen on; without `port` and `host`. The file must not exist, and is removed at the end. */
  readonly path?: string;
  /** Certificate and key, and what is asked of clients. Default: cleartext HTTP/2. */
  readonly tls?: ServerTlsOptions;
}

const LISTEN_OPTIONS = {
  port: true,
  host: "string",
  path: true,
  tls: true,
} as const satisfies OptionTable<ListenOptions>;

export interface ListenAddress {
  /** The port taken; 0 for a Unix socket. */
  readonly port: number;
  /** As given; "" for a Unix socket. */
  readonly host: string;
  readonly path: string | undefined;
}

export interface ListenerEvents {
  /** A connection that is ready for HTTP/2; it has a `path` on a Unix socket, and an identity with TLS. */
  onSocket(socket: Socket, path: string | undefined, tls: TlsIdentity | undefined): void;
  /** A failed accept, or failed TLS handshakes. */
  onError(error: Error): void;
  /** Whether there is room for this one; asked once, at accept. */
  admit(socket: Socket): boolean;
}

export class Listener {
  readonly address: ListenAddress;
  private readonly server: NetServer;
  private readonly acceptor: TlsAcceptor | undefined;

  private constructor(server: NetServer, address: ListenAddress, acceptor: TlsAcceptor | undefined) {
    this.server = server;
    this.address = address;
    this.acceptor = acceptor;
  }

  /** Rejects with RangeError or TypeError for illegal options, with an error that has Node's `code` when listening fails. */
  static async open(options: ListenOptions, events: ListenerEvents): Promise<Listener> {
    checkOptions("server.listen()", options, LISTEN_OPTIONS);
    const where = addressOf(options);
    const { path } = where;
    const tls = options.tls === undefined ? undefined : resolveServerTls(options.tls);
    const acceptor = tls && createAcceptor(tls, path, events);
    const server = createServer({ noDelay: true }, (socket) => {
      if (!events.admit(socket)) socket.destroy();
      else if (acceptor === undefined) events.onSocket(socket, path, undefined);
      else acceptor.handle(socket);
    });
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, where)));
        server.listen(path === undefined ? { port: where.port, host: where.host } : { path }, resolve);
      });
    } catch (error) {
      acceptor?.close();
      throw error;
    }
    server.removeAllListeners("error").on("error", (error) => events.onError(error));
    if (path !== undefined) return new Listener(server, where, acceptor);
    return new Listener(server, { ...where, port: (server.address() as AddressInfo).port }, acceptor);
  }

  /** TLS handshakes under way. */
  get handshakeCount(): number {
    return this.acceptor?.size ?? 0;
  }

  /** Takes no more connections, and ends TLS handshakes; connections that are there stay. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.acceptor?.close();
    });
  }
}

function createAcceptor(tls: ResolvedServerTls, path: string | undefined, events: ListenerEvents): TlsAcceptor {
  return new TlsAcceptor(tls, path, {
    onSecure: (socket, identity) => events.onSocket(socket, path, identity),
    onFailed: (error) => events.onError(error),
  });
}

function addressOf({ port, host, path }: ListenOptions): ListenAddress {
  if (path === undefined) return { port: checkPort(port), host: host ?? "0.0.0.0", path };
  if (port !== undefined || host !== undefined) {
    throw new TypeError("path was given together with port or host; call listen() once for each address");
  }
  if (typeof path === "string" && path !== "") return { port: 0, host: "", path };
  throw new TypeError(`path: ${describeGiven(path)} given; it takes the file name of a Unix socket`);
}

function checkPort(port = 0): number {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new RangeError(`port: ${describeNumber(port)} given, an integer from 0 to 65535 is allowed`);
}

/** What to do about the usual reasons. */
const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: "something listens there already; stop it, or choose another (port 0 takes a free one)",
  EADDRNOTAVAIL: "this machine has no such address; 0.0.0.0 and :: are all that it has",
  EACCES: "this user may not listen there; choose a port above 1023, or a path in a folder that is writable",
  ENOTFOUND: "the name of the host is unknown; give an address of this machine",
};

function listenError(cause: NodeJS.ErrnoException, { port, host, path }: ListenAddress): Error {
  const where = path === undefined ? `${host.includes(":") ? `[${host}]` : host}:${port}` : `unix:${path}`;
  const stale = path !== undefined && cause.code === "EADDRINUSE";
  const advice = stale
    ? "the file exists; remove it if no process uses it"
    : (ADVICE[cause.code ?? ""] ?? cause.message);
  const error = new Error(`cannot listen on ${where}: ${advice} (${cause.code})`, { cause });
  return Object.assign(error, { code: cause.code });
}
