/** Frames that stop in the middle, over real sockets with and without TLS, in both roles. How slow is too slow: `test/http2/incomplete-frames.test.ts`. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server as NetServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import tls from "node:tls";
import { type ChannelOptions, Server, StatusCode } from "volant";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually } from "../../src/testing/index.ts";
import { EchoService, echoHandlers } from "../client/support/echo-service.ts";
import { failure, openChannel } from "../client/support/harness.ts";
import { authority, localhost } from "../tls/support/tls-lab.ts";

const CARRIERS = ["TCP", "TLS"] as const;
type Carrier = (typeof CARRIERS)[number];

/** Over at once, as soon as nothing more comes: what is tested is that it ends, and how. */
const http2 = { frameTimeoutMs: 20, headerBlockTimeoutMs: 20 };
const OPENING = Buffer.concat([frames.settings().bytes(), frames.settingsAck().bytes()]);
const REQUEST = frames
  .headers(1)
  .request("POST", "/test.Echo/Unary", [
    ["te", "trailers"],
    ["content-type", "application/grpc"],
  ])
  .bytes();
const DATA = frames.data(1, Buffer.alloc(1_000)).bytes();

/** What is sent in front, the frame that is cut, and what it counts as. */
const CUTS: Readonly<Record<string, readonly [Buffer, Buffer, string]>> = {
  "a frame header": [REQUEST, DATA.subarray(0, 5), "frame-timeout"],
  "a DATA frame": [REQUEST, DATA.subarray(0, 500), "frame-timeout"],
  "a HEADERS frame": [Buffer.alloc(0), REQUEST.subarray(0, 20), "header-block-timeout"],
};

async function dial(t: TestContext, carrier: Carrier, port: number): Promise<Socket> {
  const where = { port, host: "127.0.0.1", noDelay: true };
  const socket =
    carrier === "TCP" ? connect(where) : tls.connect({ ...where, ca: authority.cert, ALPNProtocols: ["h2"] });
  socket.on("error", () => socket.destroy());
  t.after(() => socket.destroy());
  await once(socket, carrier === "TCP" ? "connect" : "secureConnect");
  return socket;
}

/** A server that plays `onRequest` once it has seen the request. */
async function hostile(t: TestContext, carrier: Carrier, onRequest: (socket: Socket) => void): Promise<string> {
  const onSocket = (socket: Socket): void => {
    socket.on("error", () => socket.destroy());
    t.after(() => socket.destroy());
    socket.write(OPENING);
    let isAsked = false;
    socket.on("data", (bytes: Buffer) => {
      if (isAsked || !bytes.includes("hello")) return;
      isAsked = true;
      onRequest(socket);
    });
  };
  const server: NetServer =
    carrier === "TCP" ? createServer(onSocket) : tls.createServer({ ...localhost, ALPNProtocols: ["h2"] }, onSocket);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

for (const carrier of CARRIERS) {
  for (const [what, [before, cut, cause]] of Object.entries(CUTS)) {
    test(`${carrier}: ${what} of a client that stops in the middle ends its connection and its calls`, async (t) => {
      const server = new Server({ http2 });
      t.after(() => server.close());
      server.add(EchoService, echoHandlers);
      const listen = { port: 0, host: "127.0.0.1", ...(carrier === "TLS" ? { tls: localhost } : {}) };
      const socket = await dial(t, carrier, (await server.listen(listen)).port);
      socket.resume();
      socket.write(Buffer.concat([frames.preface, OPENING, before, cut]));
      await once(socket, "close");
      await eventually("the connection to be gone", () => server.stats().connections === 0);
      assert.deepEqual(server.stats().faults, { [cause]: 1 });
      assert.equal(server.streamCount, 0);
    });
  }

  test(`${carrier}: a DATA frame of a server that stops in the middle ends the call, and the next one has a new connection`, async (t) => {
    const answer = frames
      .headers(1)
      .response(200, [["content-type", "application/grpc"]])
      .bytes();
    const target = await hostile(t, carrier, (socket) => socket.write(Buffer.concat([answer, DATA.subarray(0, 500)])));
    const secure: ChannelOptions = carrier === "TLS" ? { tls: { ca: authority.cert } } : {};
    const { client, channel } = openChannel(t, target, { http2, ...secure });
    const call = client.unary({ value: "hello" }, { timeoutMs: 60_000 });
    const { message } = await failure(call, StatusCode.UNAVAILABLE);
    assert.match(message, /the server began a frame and did not finish it \(frameTimeoutMs\)/);
    assert.notEqual(channel.state, "READY");
    assert.deepEqual(channel.stats().faults, { "frame-timeout": 1 });
  });
}
