/**
 * One GET with our client role, on a connection of its own, which then stays until the server closes it or says GOAWAY.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Fault } from "volant/http2";
import { SocketDriver, toFields } from "./socket-driver.ts";

/** `url` is http or https; `ca` is for the latter. Resolves to how the connection ended. */
export async function requestOnce(url: URL, ca: string): Promise<Fault | undefined> {
  const where = { port: Number(url.port), host: url.hostname };
  const isSecure = url.protocol === "https:";
  const socket = isSecure ? connectTls({ ...where, ca, ALPNProtocols: ["h2"] }) : connect(where);
  await once(socket, isSecure ? "secureConnect" : "connect");
  const driver: SocketDriver = new SocketDriver("client", socket, {
    onSettings() {
      if (driver.http2.streamCount > 0 || !driver.http2.canOpenStream) return;
      const stream = driver.http2.openStream();
      const fields = [
        [":method", "GET"],
        [":scheme", isSecure ? "https" : "http"],
        [":authority", url.host],
        [":path", url.pathname],
      ] as const;
      driver.http2.sendHeaders(stream, toFields(fields), true);
    },
    onData: (stream, _bytes, start, end) => driver.http2.consume(stream, end - start),
    onGoAway: () => setImmediate(() => driver.close()),
  });
  return driver.gone;
}
