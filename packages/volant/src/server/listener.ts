/**
 * One listening socket. Owns the Node server and the step from an accepted socket to a wire; knows no HTTP/2.
 */
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from "node:net";

export interface ListenOptions {
  /** TCP port, 0 to 65,535; 0 takes a free one. Default 0. Not together with `path`. */
  readonly port?: number;
  /** Address to listen on. Default "0.0.0.0". */
  readonly host?: string;
  /** Unix socket to listen on. */
  readonly path?: string;
}

export interface ListenAddress {
  /** The port taken; 0 for a Unix socket. */
  readonly port: number;
  readonly host: string;
  readonly path: string | undefined;
}

export class Listener {
  readonly address: ListenAddress;
  private readonly server: NetServer;

  private constructor(server: NetServer, address: ListenAddress) {
    this.server = server;
    this.address = address;
  }

  /** Rejects with Node's error (code EADDRINUSE, EACCES, …), its message naming the address. */
  static async open(
    options: ListenOptions,
    onSocket: (socket: Socket, path: string | undefined) => void,
    onError: (error: Error) => void,
  ): Promise<Listener> {
    const { host = "0.0.0.0", path } = options;
    const server = createServer({ noDelay: true }, (socket) => onSocket(socket, path));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path === undefined ? { port: checkPort(options.port), host } : { path }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    server.on("error", onError);
    const port = path === undefined ? (server.address() as AddressInfo).port : 0;
    return new Listener(server, { port, host, path });
  }

  /** Takes no more connections; those that are there stay. */
  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

function checkPort(port = 0): number {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new RangeError(`port: ${String(port)} given, an integer from 0 to 65535 is allowed`);
}
