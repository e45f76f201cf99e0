/**
 * The way from an attack's peers to its server over real sockets. Owns the listener's address, the certificate, the addresses that
 * peers come from, and the pairs of sockets, which are all gone at the end; knows no attack.
 *
 * A peer that says it comes from 192.0.2.1 comes from an address of the loopback of its own: 127.0.0.2 and up.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Server } from "../../src/index.ts";
import type { WireSink } from "../../src/transport/wire.ts";
import { Authority, type Identity } from "../tls/support/certificates.ts";
import type { AttackWire } from "./attack-wire.ts";
import { addLink, removeLink, SocketLink } from "./under-way.ts";

/** Node tells of each accepted socket here, before the listener gets it. */
const ACCEPTED = "net.server.socket";
const HOST = "127.0.0.1";

let identity: Identity | undefined;

/** A peer's end of a wire, in memory or of a socket. */
export interface PeerWire {
  /** False: `bytes` are in use until `onWritten`. */
  write(bytes: Buffer, onWritten: () => void): boolean;
  pause(): void;
  resume(): void;
  end(): void;
  destroy(): void;
}

export class SocketDoor {
  private readonly port: number;
  private readonly wire: AttackWire;
  private readonly links: SocketLink[] = [];
  private readonly sockets: Socket[] = [];
  private readonly hosts = new Map<string, string>();

  private constructor(port: number, wire: AttackWire) {
    this.port = port;
    this.wire = wire;
    subscribe(ACCEPTED, this.onAccepted);
  }

  static async open(server: Server, wire: AttackWire): Promise<SocketDoor> {
    identity ??= new Authority().issue();
    const { port } = await server.listen({ host: HOST, port: 0, ...(wire === "tls" && { tls: identity }) });
    const door = new SocketDoor(port, wire);
    doors.set(server, door);
    return door;
  }

  /** Who comes from `address`; "memory" is nobody in particular. */
  enter(sink: WireSink, address: string): PeerWire {
    const near = connect({ port: this.port, host: HOST, localAddress: this.localAddress(address), noDelay: true });
    const link = new SocketLink(near);
    this.links.push(link);
    addLink(link);
    // The certificate is of a CA that only this process knows: what is attacked is not in doubt.
    const isTls = this.wire === "tls";
    const socket = isTls ? connectTls({ socket: near, ALPNProtocols: ["h2"], rejectUnauthorized: false }) : near;
    this.sockets.push(socket, near);
    return createPeerWire(socket, sink);
  }

  close(): void {
    unsubscribe(ACCEPTED, this.onAccepted);
    for (const socket of this.sockets) socket.destroy();
    for (const link of this.links) removeLink(link);
  }

  private readonly onAccepted = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    this.links.find(({ port }) => port === socket.remotePort)?.joinFar(socket);
  };

  private localAddress(address: string): string {
    if (address === "memory") return HOST;
    const host = address.slice(0, address.lastIndexOf(":"));
    const known = this.hosts.get(host);
    if (known !== undefined) return known;
    const next = `127.0.0.${2 + this.hosts.size}`;
    this.hosts.set(host, next);
    return next;
  }
}

const doors = new WeakMap<Server, SocketDoor>();

/** Undefined: peers of this server come over memory. */
export function doorOf(server: Server): SocketDoor | undefined {
  return doors.get(server);
}

function createPeerWire(socket: Socket, sink: WireSink): PeerWire {
  let failure: Error | undefined;
  socket.on("data", (chunk: Buffer) => sink.onChunk(chunk));
  socket.on("end", () => sink.onEnd());
  socket.on("error", (error) => {
    failure = error;
  });
  socket.on("close", () => sink.onClosed(failure));
  return {
    write(bytes, onWritten) {
      if (socket.destroyed) return true;
      socket.write(bytes, () => onWritten());
      return false;
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
}
