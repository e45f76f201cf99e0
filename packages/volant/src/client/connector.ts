/**
 * Opens the transport to an endpoint. Owns the socket until it is connected, and its TLS handshake is over where there is one;
 * afterwards the wire does.
 */

import { connect, type Socket, type TcpNetConnectOpts } from "node:net";
import type { TLSSocket } from "node:tls";
import { breakReason } from "../transport/broken-wire.ts";
import { SocketWire } from "../transport/socket-wire.ts";
import { clearImmediate, setImmediate } from "../transport/time.ts";
import { type ResolvedChannelTls, TlsDialer } from "../transport/tls-dialer.ts";
import { TlsIdentity } from "../transport/tls-identity.ts";
import { isTlsError, tlsReason } from "../transport/tls-reason.ts";
import type { Wire, WireSink } from "../transport/wire.ts";
import type { Endpoint } from "./target.ts";

export interface ConnectEvents {
  /** Made with the sink that the caller gives; called at most once, and then never `onFailed`. */
  onConnected(createWire: (sink: WireSink) => Wire): void;
  onFailed(reason: string): void;
  /** After `onConnected`: the transport says why it is about to close. */
  onBroken(reason: string): void;
}

/** The result cancels the attempt: no event follows. After an event it does nothing. */
export type Connector = (endpoint: Endpoint, events: ConnectEvents) => () => void;

/** One a channel: it keeps what the next TLS handshake can resume. */
export function connectorOf(tls: ResolvedChannelTls | undefined): Connector {
  if (tls === undefined) return connectSocket;
  const dialer = new TlsDialer(tls);
  return (endpoint, events) => connectTls(dialer, endpoint, events);
}

const connectSocket: Connector = (endpoint, events) => {
  const socket = connect(addressOf(endpoint));
  return untilConnected(
    socket,
    "connect",
    events,
    (error) => describe(error),
    () => {
      events.onConnected((sink) => new SocketWire(socket, sink, pathOf(endpoint)));
    },
  );
};

function connectTls(dialer: TlsDialer, endpoint: Endpoint, events: ConnectEvents): () => void {
  let socket: TLSSocket;
  try {
    socket = dialer.connect(addressOf(endpoint));
  } catch (error) {
    const attempt = setImmediate(() => events.onFailed(reasonOf(error as Error, false)));
    return () => clearImmediate(attempt);
  }
  let isOpen = false;
  socket.once("connect", () => {
    isOpen = true;
  });
  return untilConnected(
    socket,
    "secureConnect",
    events,
    (error) => reasonOf(error, isOpen),
    () => {
      const fault = dialer.findFault(socket);
      if (fault !== undefined) {
        abandon(socket);
        events.onFailed(fault);
        return;
      }
      socket.once("error", (error) => {
        if (isTlsError(error)) events.onBroken(breakReason("client", error));
      });
      const identity = new TlsIdentity(socket);
      events.onConnected((sink) => new SocketWire(socket, sink, pathOf(endpoint), identity));
    },
  );
}

function untilConnected(
  socket: Socket,
  event: "connect" | "secureConnect",
  events: ConnectEvents,
  reason: (error: Error) => string,
  onConnected: () => void,
): () => void {
  let settled = false;
  const onError = (error: Error): void => {
    settled = true;
    events.onFailed(reason(error));
  };
  const onConnect = (): void => {
    settled = true;
    socket.off("error", onError);
    onConnected();
  };
  socket.once("error", onError);
  socket.once(event, onConnect);
  return () => {
    if (settled) return;
    settled = true;
    socket.off("error", onError);
    socket.off(event, onConnect);
    abandon(socket);
  };
}

/** Names are resolved by the system, addresses are tried in turn (RFC 8305). */
function addressOf(endpoint: Endpoint): { readonly path: string } | TcpNetConnectOpts {
  if (endpoint.kind === "unix") return { path: endpoint.path };
  return { host: endpoint.host, port: endpoint.port, noDelay: true, autoSelectFamily: true };
}

function pathOf(endpoint: Endpoint): string | undefined {
  return endpoint.kind === "unix" ? endpoint.path : undefined;
}

/** A socket that is destroyed while it connects may report an error that nobody waits for any more. */
function abandon(socket: Socket): void {
  socket.on("error", () => socket.destroy());
  socket.destroy();
}

/** What happens before the socket is open has nothing to do with TLS. */
function reasonOf(error: Error, isOpen: boolean): string {
  return isOpen ? `TLS: ${tlsReason("client", error)}` : describe(error);
}

/** Several addresses that all failed come as one AggregateError without a message of its own. */
function describe(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message;
  return [...new Set(error.errors.map((inner: Error) => inner.message))].join("; ");
}
