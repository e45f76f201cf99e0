/**
 * `node one-request.ts http://127.0.0.1:PORT/`: one GET with our client role, which then stays until the server closes the
 * connection or says GOAWAY. Exits with 1 where the connection ended with a fault of the server's.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { SocketDriver, toFields } from "./socket-driver.ts";

const url = new URL(process.argv[2] ?? "");
const socket = connect(Number(url.port), url.hostname);
await once(socket, "connect");

const driver: SocketDriver = new SocketDriver("client", socket, {
  onSettings() {
    if (driver.http2.streamCount > 0 || !driver.http2.canOpenStream) return;
    const stream = driver.http2.openStream();
    const fields = [
      [":method", "GET"],
      [":scheme", "http"],
      [":authority", url.host],
      [":path", url.pathname],
    ] as const;
    driver.http2.sendHeaders(stream, toFields(fields), true);
  },
  onData: (stream, _bytes, start, end) => driver.http2.consume(stream, end - start),
  onGoAway: () => setImmediate(() => driver.close()),
});

const fault = await driver.gone;
process.exitCode = fault === undefined || fault.code === 0 ? 0 : 1;
