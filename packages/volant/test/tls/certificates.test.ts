/** Certificates that change while connections live, and certificates by name (SNI, RFC 6066 §3). */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { StatusCode, TlsCredentials, type TlsMaterialOptions } from "volant";
import { eventually } from "../../src/testing/index.ts";
import { resolveChannelTls, TlsDialer } from "../../src/transport/tls-dialer.ts";
import { failure } from "../client/support/harness.ts";
import { Authority, type Identity, LOCAL_NAMES } from "./support/certificates.ts";
import { authority, localhost, RawSocket, TlsLab } from "./support/tls-lab.ts";

const named = (commonName: string, names = LOCAL_NAMES): Identity => authority.issue({ commonName, names });

/** The common name of the certificate that the server shows; "resumed" where it shows none. */
async function shownBy(lab: TlsLab, options: { servername?: string; session?: Buffer } = {}): Promise<string> {
  const raw = lab.secure({ ALPNProtocols: ["h2"], checkServerIdentity: () => undefined, ...options });
  await once(raw.socket, "secureConnect");
  // A session that is resumed has no certificate of its own.
  const name = raw.socket.isSessionReused() ? "resumed" : String(raw.socket.getPeerCertificate().subject.CN);
  // Not before the server has all of the handshake.
  raw.socket.end();
  await raw.closed();
  return name;
}

test("an update: new handshakes use the new certificate, connections that are there go on", async (t) => {
  const credentials = new TlsCredentials(named("old"));
  const lab = await TlsLab.open(t, { credentials });
  const { client } = lab.channel();
  await client.unary({});
  assert.equal(await shownBy(lab), "old");
  credentials.update(named("new"));
  assert.equal(await shownBy(lab), "new");
  assert.equal((await client.unary({ value: "still here" })).value, "still here");
});

test("an update that is refused throws what is wrong, and the old certificate stays", async (t) => {
  const credentials = new TlsCredentials(named("old"));
  const lab = await TlsLab.open(t, { credentials });
  assert.throws(
    () => credentials.update({ ...named("new"), key: localhost.key }),
    /tls\.key: it does not belong to the certi/,
  );
  assert.throws(() => credentials.update({ cert: localhost.cert }), /tls\.key is missing/);
  assert.throws(
    () => credentials.update({ cert: "garbage", key: localhost.key }),
    /tls\.cert: there is no certificate/,
  );
  assert.equal(await shownBy(lab), "old");
});

test("sessions are resumed, but not those that an older certificate allowed", async (t) => {
  const credentials = new TlsCredentials(named("old"));
  const lab = await TlsLab.open(t, { credentials });
  const raw = lab.secure({ ALPNProtocols: ["h2"] });
  const [session] = (await once(raw.socket, "session")) as [Buffer];
  assert.equal(await shownBy(lab, { session }), "resumed");
  credentials.update(named("new"));
  assert.equal(await shownBy(lab, { session }), "new");
});

test("a channel resumes its last session, until it has other certificates", async (t) => {
  const lab = await TlsLab.open(t);
  const credentials = new TlsCredentials({ ca: authority.cert });
  const dialer = new TlsDialer(resolveChannelTls({ credentials, servername: "localhost" })!);
  const connect = async (): Promise<boolean> => {
    const raw = new RawSocket(t, dialer.connect({ host: "127.0.0.1", port: lab.port }));
    await once(raw.socket, "secureConnect");
    // A full handshake leaves a session to resume.
    if (!raw.socket.isSessionReused()) await once(raw.socket, "session");
    const isReused = raw.socket.isSessionReused();
    raw.socket.end();
    await raw.closed();
    return isReused;
  };
  assert.deepEqual([await connect(), await connect()], [false, true]);
  credentials.update(localhost);
  assert.deepEqual([await connect(), await connect()], [false, true]);
});

test("a CA that is replaced is not trusted any more, though a session was left from its time", async (t) => {
  const [before, after] = [new Authority("before"), new Authority("after")];
  const credentials = new TlsCredentials({ ...localhost, ca: before.cert });
  const lab = await TlsLab.open(t, { credentials, requestClientCert: "require" });
  const [old, young] = [before.issue(), after.issue()];
  const raw = lab.secure({ ALPNProtocols: ["h2"], ...old });
  const [session] = (await once(raw.socket, "session")) as [Buffer];
  credentials.update({ ca: after.cert });
  const again = lab.secure({ ALPNProtocols: ["h2"], ...old, session });
  await again.closed();
  assert.match((await lab.reported()).message, /the client's certificate is not accepted/);
  const { client } = lab.channel({ ca: authority.cert, ...young });
  assert.equal((await client.unary({ value: "a" })).value, "a");
});

test("a channel uses its new certificate when it connects the next time", async (t) => {
  const clients = new Authority("clients");
  const lab = await TlsLab.open(
    t,
    { ...localhost, ca: clients.cert, requestClientCert: "require" },
    { unary: (_message, { peer }) => ({ value: peer.tls?.subject ?? "" }) },
  );
  const credentials = new TlsCredentials({ ca: authority.cert, ...clients.issue({ commonName: "one" }) });
  const first = lab.channel({ credentials });
  assert.equal((await first.client.unary({})).value, "CN=one");
  credentials.update(clients.issue({ commonName: "two" }));
  assert.equal((await first.client.unary({})).value, "CN=one");
  assert.equal((await lab.channel({ credentials }).client.unary({})).value, "CN=two");
});

test("load: certificates come from a loader, and come again at reload()", async (t) => {
  let source: TlsMaterialOptions = named("first");
  const errors: unknown[] = [];
  using credentials = await TlsCredentials.load(() => source, { onError: (error) => errors.push(error) });
  const lab = await TlsLab.open(t, { credentials });
  assert.equal(await shownBy(lab), "first");
  assert.equal(await credentials.reload(), false, "nothing has changed");
  source = named("second");
  assert.equal(await credentials.reload(), true);
  assert.equal(await shownBy(lab), "second");
  source = { ...source, cert: "half a fi" };
  assert.equal(await credentials.reload(), false);
  assert.match(String(errors.splice(0)), /tls\.cert: there is no certificate/);
  assert.equal(await shownBy(lab), "second");
});

test("load: every reloadIntervalMs, until it is closed; a loader that fails is told each time", async () => {
  let loads = 0;
  const errors: unknown[] = [];
  const load = async () => {
    if (++loads > 1) throw new Error(`no such file ${loads}`);
    return localhost;
  };
  const credentials = await TlsCredentials.load(load, { reloadIntervalMs: 1, onError: (error) => errors.push(error) });
  await eventually("two failures", () => errors.length >= 2);
  credentials.close();
  await credentials.reload();
  const before = loads;
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(loads, before);
  assert.match(String(errors[0]), /no such file 2/);
});

test("load: what is wrong at first is thrown", async () => {
  await assert.rejects(
    TlsCredentials.load(() => ({ cert: localhost.cert })),
    /tls\.key is missing/,
  );
  await assert.rejects(
    TlsCredentials.load(() => localhost, { reloadIntervalMs: 0 }),
    /reloadIntervalMs: 0 given, a number from 1/,
  );
});

test("serverNames: each name has its certificate, one label may be a star, others get the listener's", async (t) => {
  const api = new TlsCredentials(named("api"));
  const lab = await TlsLab.open(t, {
    ...named("default"),
    serverNames: { "API.example.com": api, "*.example.org": named("star") },
  });
  const asked = (servername: string) => shownBy(lab, { servername });
  assert.equal(await asked("api.example.com"), "api");
  assert.equal(await asked("Api.Example.Com"), "api");
  assert.equal(await asked("a.example.org"), "star");
  assert.equal(await asked("a.b.example.org"), "default");
  assert.equal(await asked("example.org"), "default");
  assert.equal(await shownBy(lab), "default");
  api.update(named("api 2"));
  assert.equal(await asked("api.example.com"), "api 2");
});

test("serverNames: whatever a client asks for, the server goes on", async (t) => {
  const lab = await TlsLab.open(t, { ...named("default"), serverNames: { "*.a": named("star") } });
  for (const servername of ["__proto__", "constructor", "x".repeat(250), "*.a", "a\u0001b", "."]) {
    assert.match(await shownBy(lab, { servername }), /^(default|star)$/);
  }
});

test("serverNames: clients are verified by the CA of the listener under every name", async (t) => {
  const clients = new Authority("clients");
  const lab = await TlsLab.open(t, {
    ...localhost,
    ca: clients.cert,
    requestClientCert: "require",
    serverNames: { "other.example": named("other", ["DNS:other.example"]) },
  });
  const tls = { ca: authority.cert, servername: "other.example" };
  assert.equal((await lab.channel({ ...tls, ...clients.issue() }).client.unary({ value: "a" })).value, "a");
  await failure(lab.channel({ ...tls, ...authority.issue() }).client.unary({}), StatusCode.UNAVAILABLE);
  assert.match((await lab.reported()).message, /the client's certificate is not accepted/);
});
