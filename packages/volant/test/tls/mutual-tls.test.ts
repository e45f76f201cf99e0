/** Certificates of clients: asked for, required, refused, and what a handler learns of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChannelTlsOptions, type ServerCall, type ServerTlsOptions, StatusCode } from "volant";
import { eventually } from "../../src/testing/index.ts";
import { failure, openChannel } from "../client/support/harness.ts";
import { Authority, type Identity } from "./support/certificates.ts";
import { grpcJsClient, startGrpcJsServer } from "./support/grpc-js.ts";
import { authority, localhost, TlsLab } from "./support/tls-lab.ts";

const { UNAVAILABLE } = StatusCode;
const clients = new Authority("client CA");
const orders = clients.issue({ commonName: "orders,O=root", names: ["URI:spiffe://test/orders", "DNS:orders"] });

const required: ServerTlsOptions = { ...localhost, ca: clients.cert, requestClientCert: "require" };
const requested: ServerTlsOptions = { ...localhost, ca: clients.cert, requestClientCert: "request" };
const as = (identity: Identity): ChannelTlsOptions => ({ ca: authority.cert, ...identity });

test("a client with a certificate is served, and the handler knows who it is, also when it has gone", async (t) => {
  let peer: ServerCall["peer"] | undefined;
  const lab = await TlsLab.open(t, required, {
    unary(message, call) {
      peer = call.peer;
      return message;
    },
  });
  const { client, channel } = lab.channel(as(orders));
  await client.unary({});
  await channel.close();
  await eventually("the connection to be gone", () => lab.server.connectionCount === 0);
  assert.equal(peer?.tls?.authorized, true);
  assert.equal(peer.tls.subject, "CN=orders\\,O\\=root");
  assert.deepEqual(peer.tls.subjectAltNames, ["URI:spiffe://test/orders", "DNS:orders"]);
  assert.match(peer.tls.fingerprint256!, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
});

test("require: a client without a certificate is refused, and both sides are told why", async (t) => {
  const lab = await TlsLab.open(t, required);
  const error = await failure(lab.channel().client.unary({}), UNAVAILABLE);
  assert.match(error.message, /TLS: the server requires a client certificate; give tls\.cert and tls\.key/);
  assert.match(
    (await lab.reported()).message,
    /the client has no certificate, and tls\.requestClientCert requires one/,
  );
});

for (const [mode, tls] of [
  ["require", required],
  ["request", requested],
] as const) {
  for (const [what, identity, reason] of [
    ["from another CA", new Authority("stranger").issue(), /not accepted \((UNABLE_TO_|DEPTH_ZERO)/],
    ["that has expired", clients.issue({ days: -1 }), /not accepted \(CERT_HAS_EXPIRED\)/],
  ] as const) {
    test(`${mode}: a certificate ${what} is refused, and both sides are told why`, async (t) => {
      const lab = await TlsLab.open(t, tls);
      const error = await failure(lab.channel(as(identity)).client.unary({}), UNAVAILABLE);
      assert.match(error.message, /it may not accept the certificate of this channel|did not accept/);
      assert.match((await lab.reported()).message, reason);
    });
  }
}

test("request: a client without a certificate is served, and one with a certificate is known", async (t) => {
  const lab = await TlsLab.open(t, requested, {
    unary: (_message, { peer }) => ({ value: `${peer.tls?.authorized} ${peer.tls?.subject}` }),
  });
  assert.equal((await lab.channel().client.unary({})).value, "false undefined");
  assert.equal((await lab.channel(as(orders)).client.unary({})).value, "true CN=orders\\,O\\=root");
});

test("a channel resumes its session when it connects again, and the handler still knows who it is", async (t) => {
  const seen: string[] = [];
  const lab = await TlsLab.open(
    t,
    required,
    {
      unary(message, { peer }) {
        seen.push(`${peer.address} ${peer.tls?.authorized} ${peer.tls?.subjectAltNames.at(-1)}`);
        return message;
      },
    },
    { maxConnectionIdleMs: 1 },
  );
  const { client, channel } = lab.channel(as(orders));
  for (let round = 0; round < 3; round++) {
    await client.unary({});
    await eventually("the idle connection to be drained", () => channel.state === "IDLE");
  }
  assert.equal(new Set(seen).size, 3, "three connections");
  assert.ok(seen.every((line) => line.endsWith("true DNS:orders")));
});

test("grpc-js with a certificate is served by us, and we are served by grpc-js", async (t) => {
  const lab = await TlsLab.open(t, required, {
    unary: (_message, { peer }) => ({ value: peer.tls?.subjectAltNames.join() ?? "" }),
  });
  const theirs = grpcJsClient(t, `localhost:${lab.port}`, authority.cert, orders);
  assert.equal(await theirs.unary(""), "URI:spiffe://test/orders,DNS:orders");
  const port = await startGrpcJsServer(t, localhost, clients.cert);
  const { client } = openChannel(t, `127.0.0.1:${port}`, { tls: as(orders) });
  assert.equal((await client.unary({ value: "a" })).value, "a");
});
