/** TLS between our client, our server and others. RFC 9113 §3.2, §9.2, RFC 6066 §3. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttp1Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createServer } from "node:tls";
import { Server, type ServerCall, StatusCode, TlsHandshakeError } from "volant";
import { eventually, useFakeClock } from "../../src/testing/index.ts";
import { EchoService, echoHandlers } from "../client/support/echo-service.ts";
import { allOf, drained, failure, openChannel, withServer } from "../client/support/harness.ts";
import { Authority } from "./support/certificates.ts";
import { grpcJsClient, startGrpcJsServer } from "./support/grpc-js.ts";
import { authority, localhost, RawSocket, TlsLab } from "./support/tls-lab.ts";

const { UNAVAILABLE } = StatusCode;

test("our client and our server: the four kinds, and what the handler knows of the connection", async (t) => {
  let tls: ServerCall["peer"]["tls"];
  const lab = await TlsLab.open(t, localhost, {
    unary(message, call) {
      tls = call.peer.tls;
      return message;
    },
  });
  const { client } = lab.channel({ ca: authority.cert, servername: "localhost" });
  assert.equal((await client.unary({ value: "é" })).value, "é");
  assert.deepEqual((await drained(client.download({ value: "2" }))).values, ["0", "1"]);
  assert.equal((await client.upload([{ value: "a" }, { value: "b" }])).value, "a,b");
  assert.deepEqual((await drained(client.chat([{ value: "a" }]))).values, ["re:a"]);
  assert.deepEqual([tls?.authorized, tls?.protocol, tls?.alpn, tls?.serverName], [false, "TLSv1.3", "h2", "localhost"]);
  assert.equal(tls?.cipher, "TLS_AES_128_GCM_SHA256");
  assert.deepEqual([tls?.subject, tls?.subjectAltNames, tls?.fingerprint256], [undefined, [], undefined]);
});

test("without TLS a peer has no TLS identity", async (t) => {
  let call: ServerCall | undefined;
  const { client } = await withServer(t, {
    unary(message, context) {
      call = context;
      return message;
    },
  });
  await client.unary({});
  assert.equal(call?.peer.tls, undefined);
});

test("grpc-js as the client: unary, streams and a message larger than the windows", async (t) => {
  const lab = await TlsLab.open(t);
  const client = grpcJsClient(t, `localhost:${lab.port}`, authority.cert);
  assert.equal(await client.unary("a"), "a");
  const large = "x".repeat(2_000_000);
  assert.equal(await client.unary(large), large);
  assert.deepEqual(await client.chat(["a", "b"]), ["re:a", "re:b"]);
});

test("grpc-js as the server: unary, streams and a message larger than the windows", async (t) => {
  const port = await startGrpcJsServer(t, localhost);
  const { client } = openChannel(t, `localhost:${port}`, { tls: { ca: authority.cert } });
  assert.equal((await client.unary({ value: "a" })).value, "a");
  const value = "x".repeat(2_000_000);
  assert.equal((await client.unary({ value })).value, value);
  assert.deepEqual(
    (await allOf(client.chat([{ value: "a" }, { value: "b" }]))).map((answer) => answer.value),
    ["re:a", "re:b"],
  );
});

test("over a Unix socket: the certificate is for localhost unless servername says otherwise", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "volant-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "s");
  const server = new Server();
  server.add(EchoService, {
    ...echoHandlers,
    unary: (_message, { peer }) => ({ value: `${peer.address} ${peer.tls?.alpn}` }),
  });
  await server.listen({ path, tls: localhost });
  t.after(() => server.close());
  const { client } = openChannel(t, `unix:${path}`, { tls: { ca: authority.cert } });
  assert.equal((await client.unary({})).value, `unix:${path} h2`);
});

for (const [what, tls, text] of [
  [
    "a CA that Node does not know",
    true,
    /the CA of the server's certificate is unknown; give that CA as tls\.ca \(UNABLE_TO_/,
  ],
  ["another CA", { ca: new Authority("other CA").cert }, /the CA of the server's certificate is unknown/],
  [
    "another CA of the same name",
    { ca: new Authority().cert },
    /not signed by the CA it names.*\(CERT_SIGNATURE_FAILURE\)/,
  ],
  [
    "another name",
    { ca: authority.cert, servername: "other.example" },
    /Host: other\.example\. is not in the cert's altnames: DNS:localhost.*\(ERR_TLS_CERT_ALTNAME_INVALID\)/,
  ],
] as const) {
  test(`a server certificate for ${what} is UNAVAILABLE, and the reason says so`, async (t) => {
    const lab = await TlsLab.open(t);
    lab.clientsMayLeave = true;
    const { client } = lab.channel(tls);
    const error = await failure(client.unary({}), UNAVAILABLE);
    assert.match(error.message, /^no connection to 127\.0\.0\.1:\d+: TLS: /);
    assert.match(error.message, text);
    await eventually("the connection to be gone", () => lab.server.connectionCount === 0);
  });
}

test("a server certificate that has expired is UNAVAILABLE, and the reason says so", async (t) => {
  const expired = await TlsLab.open(t, authority.issue({ days: -1 }));
  expired.clientsMayLeave = true;
  const { message } = await failure(expired.channel().client.unary({}), UNAVAILABLE);
  assert.match(message, /the server's certificate has expired \(CERT_HAS_EXPIRED\)/);
});

test("a channel without TLS on a TLS port is UNAVAILABLE at once, and the server names the cause", async (t) => {
  const lab = await TlsLab.open(t);
  const { client } = lab.channel(false);
  const error = await failure(client.unary({}), UNAVAILABLE);
  assert.match(error.message, /whether it expects TLS|the server closed the connection/);
  const report = await lab.reported();
  assert.ok(report instanceof TlsHandshakeError);
  assert.match(report.message, /^the TLS handshake with 127\.0\.0\.1:\d+: the client does not speak TLS \(ERR_SSL_/);
});

test("an HTTP request without TLS on a TLS port is named as one", async (t) => {
  const lab = await TlsLab.open(t);
  const raw = lab.plain();
  raw.socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  await raw.closed();
  assert.match((await lab.reported()).message, /the client speaks HTTP without TLS \(ERR_SSL_HTTP_REQUEST\)/);
});

test("a channel with TLS on a cleartext port is UNAVAILABLE at once, and says what to do", async (t) => {
  const { port } = await withServer(t);
  const { client } = openChannel(t, `127.0.0.1:${port}`, { tls: { ca: authority.cert } });
  const error = await failure(client.unary({}), UNAVAILABLE);
  assert.match(error.message, /TLS: the server (does not speak TLS|closed the connection)/);
});

test("nobody listens: the reason is the system's, without TLS", async (t) => {
  const lab = await TlsLab.open(t);
  await lab.server.close();
  const error = await failure(lab.channel().client.unary({}), UNAVAILABLE);
  assert.match(error.message, /: connect ECONNREFUSED 127\.0\.0\.1:\d+$/);
});

test("RFC 9113 §3.2 a client without ALPN is told what to do, and closed", async (t) => {
  const lab = await TlsLab.open(t);
  const raw = lab.secure();
  await raw.closed();
  assert.equal(raw.error, undefined);
  assert.match(raw.received, /^HTTP\/1\.1 505 .*offer h2 in ALPN/s);
  assert.match((await lab.reported()).message, /the client offers no protocol \(ALPN\), HTTP\/2 is required/);
  assert.equal(lab.server.connectionCount, 0);
});

test("RFC 7301 §3.2 a client that offers other protocols only gets the alert no_application_protocol", async (t) => {
  const lab = await TlsLab.open(t);
  const raw = lab.secure({ ALPNProtocols: ["http/1.1"] });
  await raw.closed();
  assert.match(raw.error!.code!, /NO_APPLICATION_PROTOCOL/);
  assert.match((await lab.reported()).message, /the client does not offer HTTP\/2 \(ALPN h2\)/);
});

test("RFC 9113 §3.2 a server that does not choose h2 is UNAVAILABLE", async (t) => {
  const server = createHttp1Server({ ...localhost, ALPNProtocols: ["http/1.1"] });
  const silent = createServer(localhost);
  for (const other of [server, silent]) {
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    t.after(() => other.close());
  }
  const call = (port: number) =>
    failure(openChannel(t, `127.0.0.1:${port}`, { tls: { ca: authority.cert } }).client.unary({}), UNAVAILABLE);
  const alert = await call((server.address() as AddressInfo).port);
  assert.match(alert.message, /the server does not offer HTTP\/2 \(ALPN h2\) \(ERR_SSL_.*NO_APPLICATION_PROTOCOL\)/);
  const none = await call((silent.address() as AddressInfo).port);
  assert.match(none.message, /the server did not choose HTTP\/2 \(ALPN h2\): check the port/);
});

test("RFC 9113 §9.2 TLS 1.2 is spoken where both want it, TLS 1.1 is not", async (t) => {
  const lab = await TlsLab.open(t);
  const modern = lab.secure({ maxVersion: "TLSv1.2", ALPNProtocols: ["h2"] });
  await once(modern.socket, "secureConnect");
  assert.equal(modern.socket.getCipher().standardName, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  modern.socket.destroy();
  await eventually("the connection to be gone", () => lab.server.connectionCount === 0);
  const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" } as const;
  const ancient = lab.secure({ ...old, ALPNProtocols: ["h2"] });
  await ancient.closed();
  assert.match(ancient.error!.code!, /PROTOCOL_VERSION/);
  assert.match((await lab.reported()).message, /no version of TLS in common/);
});

test("minVersion TLSv1.3 refuses TLS 1.2, and a channel says so", async (t) => {
  const lab = await TlsLab.open(t, { ...localhost, minVersion: "TLSv1.3" });
  const raw = lab.secure({ maxVersion: "TLSv1.2", ALPNProtocols: ["h2"] });
  await raw.closed();
  assert.match((await lab.reported()).message, /no version of TLS in common/);
  assert.equal(
    (await lab.channel({ ca: authority.cert, minVersion: "TLSv1.3" }).client.unary({ value: "a" })).value,
    "a",
  );
});

test("RFC 9113 §9.2.2 suites without ephemeral keys are refused by both sides, though an option allows them", async (t) => {
  const rsa = authority.issue({ kind: "rsa" });
  const ciphers = "AES128-GCM-SHA256";
  const lab = await TlsLab.open(t, { ...rsa, ciphers });
  const raw = lab.secure({ ciphers, maxVersion: "TLSv1.2", ALPNProtocols: ["h2"] });
  await raw.closed();
  assert.match(
    (await lab.reported()).message,
    /suite TLS_RSA_WITH_AES_128_GCM_SHA256 is prohibited \(RFC 9113 §9\.2\.2\)/,
  );

  const server = createServer({ ...rsa, ciphers, maxVersion: "TLSv1.2", ALPNProtocols: ["h2"] });
  server.on("secureConnection", (socket) => socket.on("error", () => socket.destroy()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { client } = openChannel(t, target, { tls: { ca: authority.cert, ciphers } });
  assert.match(
    (await failure(client.unary({}), UNAVAILABLE)).message,
    /TLS_RSA_WITH_AES_128_GCM_SHA256, which HTTP\/2 prohibits/,
  );
});

test("RFC 9113 §9.2.1 a client that wants to renegotiate is closed", async (t) => {
  const lab = await TlsLab.open(t, localhost, {}, { http2: { handshakeTimeoutMs: 600_000 } });
  const raw = lab.secure({ maxVersion: "TLSv1.2", ALPNProtocols: ["h2"] });
  await once(raw.socket, "secureConnect");
  raw.socket.renegotiate({}, () => undefined);
  await raw.closed();
  await eventually("the connection to be gone", () => lab.server.connectionCount === 0);
});

test("a socket that is silent is closed after handshakeTimeoutMs, and reported", async (t) => {
  const lab = await TlsLab.open(t, { ...localhost, handshakeTimeoutMs: 50 });
  const raw = lab.plain();
  await raw.closed();
  assert.match(
    (await lab.reported()).message,
    /it was not over within tls\.handshakeTimeoutMs \(ERR_TLS_HANDSHAKE_TIMEOUT\)/,
  );
});

test("who only looks whether the port is open is not reported", async (t) => {
  const lab = await TlsLab.open(t);
  const raw = lab.plain();
  await once(raw.socket, "connect");
  raw.socket.destroy();
  const other = lab.plain();
  other.socket.write("GET / HTTP/1.1\r\n\r\n");
  await other.closed();
  const report = (await lab.reported()) as TlsHandshakeError;
  assert.deepEqual([report.count, report.reason.includes("HTTP")], [1, true]);
});

test("handshakes count as connections: silent sockets leave no room, and give it back", async (t) => {
  const lab = await TlsLab.open(t, localhost, {}, { maxConnections: 1 });
  const silent = lab.plain();
  await once(silent.socket, "connect");
  const late = lab.plain();
  await late.closed();
  silent.socket.destroy();
  const { client } = lab.channel(undefined, { backoff: { initialMs: 1, maxMs: 5 } });
  assert.equal((await client.unary({ value: "a" }, { waitForReady: true })).value, "a");
});

for (const way of ["close", "drain"] as const) {
  test(`${way} ends the handshakes under way and tells nobody`, async (t) => {
    const lab = await TlsLab.open(t);
    const raw = lab.plain();
    await once(raw.socket, "connect");
    const { client } = lab.channel();
    await client.unary({});
    await Promise.all([lab.server[way](), raw.closed()]);
  });
}

test("a flood of failing handshakes is one report, then one with the number of the rest", async (t) => {
  useFakeClock(t);
  const lab = await TlsLab.open(t);
  const sockets = Array.from({ length: 40 }, () => lab.plain());
  for (const { socket } of sockets) socket.write("GET / HTTP/1.1\r\n\r\n");
  await Promise.all(sockets.map((raw) => raw.closed()));
  await lab.server.close();
  const reports = lab.takeErrors() as TlsHandshakeError[];
  assert.deepEqual(
    reports.map(({ count }) => count),
    [1, 39],
  );
  assert.match(reports.at(-1)!.message, /^the TLS handshake with 127\.0\.0\.1:\d+, the last of \d+ that failed: /);
});

test("an onError that throws takes nothing down", async (t) => {
  const written: string[] = [];
  t.mock.method(process.stderr, "write", (text: string) => written.push(text) > 0);
  const onError = () => {
    throw new Error("boom");
  };
  const lab = await TlsLab.open(t, localhost, {}, { onError });
  const raw = lab.plain();
  raw.socket.write("GET / HTTP/1.1\r\n\r\n");
  await raw.closed();
  await eventually("the failure to be written", () => written.some((text) => text.includes("onError itself failed")));
  assert.equal((await lab.channel().client.unary({ value: "a" })).value, "a");
});

test("garbage in the middle of a connection ends that connection only", async (t) => {
  const lab = await TlsLab.open(t);
  const raw = new RawSocket(t, lab.plain().socket);
  const good = lab.channel();
  await good.client.unary({});
  raw.socket.write(Buffer.from("160301000401000000", "hex"));
  raw.socket.write("rubbish".repeat(100));
  await raw.closed();
  assert.ok((await lab.reported()) instanceof TlsHandshakeError);
  assert.equal((await good.client.unary({ value: "a" })).value, "a");
});
