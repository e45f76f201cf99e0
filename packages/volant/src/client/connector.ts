/**
 * Opens the transport to an endpoint. Owns the socket until it is connected; afterwards the wire does.
 */
import { connect, type Socket } from "node:net";
import { SocketWire } from "../transport/socket-wire.ts";
import type { Wire, WireSink } from "../transport/wire.ts";
import type { Endpoint } from "./target.ts";

export interface ConnectEvents {
  /** Made with the sink that the caller gives; called at most once, and then never `onFailed`. */
  onConnected(createWire: (sink: WireSink) => Wire): void;
  onFailed(reason: string): void;
}

/** The result cancels the attempt: no event follows. After an event it does nothing. */
export type Connector = (endpoint: Endpoint, events: ConnectEvents) => () => void;

/** Names are resolved by the system, addresses are tried in turn (RFC 8305). */
export const connectSocket: Connector = (endpoint, events) => {
  const socket =
    endpoint.kind === "unix"
      ? connect({ path: endpoint.path })
      : connect({ host: endpoint.host, port: endpoint.port, noDelay: true, autoSelectFamily: true });
  let settled = false;
  const onError = (error: Error): void => {
    settled = true;
    events.onFailed(describe(error));
  };
  const onConnect = (): void => {
    settled = true;
    socket.off("error", onError);
    events.onConnected((sink) => new SocketWire(socket, sink, endpoint.kind === "unix" ? endpoint.path : undefined));
  };
  socket.once("error", onError);
  socket.once("connect", onConnect);
  return () => {
    if (settled) return;
    settled = true;
    socket.off("error", onError);
    socket.off("connect", onConnect);
    abandon(socket);
  };
};

/** A socket that is destroyed while it connects may report an error that nobody waits for any more. */
function abandon(socket: Socket): void {
  socket.on("error", () => socket.destroy());
  socket.destroy();
}

/** Several addresses that all failed come as one AggregateError without a message of its own. */
function describe(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message;
  return [...new Set(error.errors.map((inner: Error) => inner.message))].join("; ");
}
