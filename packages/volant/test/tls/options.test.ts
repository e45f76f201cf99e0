/** Wrong options are found before anything is opened, and named. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Channel, type ChannelOptions, Server, type ServerTlsOptions, TlsCredentials } from "volant";
import { resolveChannelOptions } from "../../src/client/channel-options.ts";
import { parseAltNames } from "../../src/transport/tls-identity.ts";
import { Authority, encryptedKey } from "./support/certificates.ts";
import { authority, localhost, TlsLab } from "./support/tls-lab.ts";

const rsa = authority.issue({ kind: "rsa" });
const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const wrong = (options: object) => options as ServerTlsOptions;

const SERVER_CASES: readonly (readonly [string, ServerTlsOptions, RegExp])[] = [
  ["nothing", {}, /^tls\.cert is missing: a server needs a certificate and its key/],
  [
    "true",
    wrong(true as never),
    /^server\.listen\(\): tls: the boolean true given, an object with options is allowed: \{ cert, key/,
  ],
  ["no key", { cert: localhost.cert }, /^tls\.key is missing: tls\.cert was given without it/],
  ["no certificate", { key: localhost.key }, /^tls\.cert is missing: tls\.key was given without it/],
  [
    "a file name",
    { cert: "/etc/tls/tls.crt", key: localhost.key },
    /^tls\.cert: .*if this is the name of a file, give what/,
  ],
  ["a key as certificate", { cert: localhost.key, key: localhost.key }, /^tls\.cert: there is no certificate/],
  ["a certificate as key", { cert: localhost.cert, key: localhost.cert }, /^tls\.key: there is no private key/],
  ["a number", wrong({ cert: 5, key: localhost.key }), /^tls\.cert: a number given, PEM text is allowed/],
  ["null", wrong({ cert: null, key: localhost.key }), /^server\.listen\(\): tls: cert: null given/],
  ["a broken certificate", { cert: broken, key: localhost.key }, /^tls\.cert: it cannot be read \(/],
  [
    "a broken link of the chain",
    { cert: localhost.cert + broken, key: localhost.key },
    /^tls\.cert: it cannot be read \(/,
  ],
  ["another key", { ...localhost, key: authority.issue().key }, /^tls\.key: it does not belong to the certificate/],
  [
    "a key of another kind",
    { ...localhost, key: rsa.key },
    /^tls\.key: the key is RSA, but the certificate .* is for a key of EC/,
  ],
  [
    "an encrypted key",
    { ...localhost, key: encryptedKey(localhost.key, "p") },
    /^tls\.key: it is encrypted, and tls\.passphrase/,
  ],
  [
    "a wrong passphrase",
    { ...localhost, key: encryptedKey(localhost.key, "p"), passphrase: "q" },
    /^tls\.key: it is encrypted, and tls\.passphrase is missing or wrong/,
  ],
  [
    "a broken CA",
    { ...localhost, requestClientCert: "require", ca: authority.cert + broken },
    /^tls\.ca: it cannot be read/,
  ],
  ["no CA in a list", { ...localhost, requestClientCert: "require", ca: [] }, /^tls\.ca: an empty list given/],
  [
    "a CA without a word on clients",
    { ...localhost, ca: authority.cert },
    /^tls\.ca was given without tls\.requestClientCert/,
  ],
  ["clients without a CA", { ...localhost, requestClientCert: "request" }, /^tls\.ca is missing/],
  [
    "a boolean",
    wrong({ ...localhost, requestClientCert: true }),
    /^tls\.requestClientCert: true given, "none", "request"/,
  ],
  ["no time", { ...localhost, handshakeTimeoutMs: 0 }, /^tls\.handshakeTimeoutMs: 0 given, a number from 1/],
  [
    "an old version",
    wrong({ ...localhost, minVersion: "TLSv1.1" }),
    /^tls\.minVersion: "TLSv1\.1" given, "TLSv1\.2" or/,
  ],
  ["unknown ciphers", { ...localhost, ciphers: "nothing" }, /^tls\.ciphers: "nothing" given; OpenSSL knows none/],
  [
    "a name with a path",
    { ...localhost, serverNames: { "a/b": localhost } },
    /^tls\.serverNames\["a\/b"\]: it takes a host name/,
  ],
  [
    "a name without a key",
    { ...localhost, serverNames: { a: { cert: localhost.cert } } },
    /^tls\.serverNames\["a"\]: tls\.key is missing/,
  ],
  ["a name without anything", { ...localhost, serverNames: { a: {} } }, /^tls\.serverNames\["a"\]\.cert is missing/],
  [
    "a name with a CA",
    { ...localhost, serverNames: { a: wrong({ ...localhost, ca: authority.cert }) } },
    /^tls\.serverNames\["a"\]\.ca: clients are verified by tls\.ca/,
  ],
  [
    "credentials and a key",
    { credentials: new TlsCredentials(localhost), key: localhost.key },
    /^tls\.key was given together with tls\.credentials/,
  ],
  [
    "credentials of another make",
    wrong({ credentials: localhost }),
    /^tls\.credentials: it takes an object of the class/,
  ],
];

for (const [what, tls, text] of SERVER_CASES) {
  test(`a listener refuses ${what}`, async () => {
    await using server = new Server();
    await assert.rejects(server.listen({ host: "127.0.0.1", tls }), (error: Error) => {
      assert.match(error.message, text);
      assert.ok(!error.message.includes("PRIVATE KEY-----\n"));
      return true;
    });
  });
}

const CHANNEL_CASES: readonly (readonly [ChannelOptions["tls"], RegExp])[] = [
  ["yes" as never, /^tls: the string "yes" given; true, false or an object is allowed/],
  [{ ca: "ca.pem" }, /^tls\.ca: there is no certificate .*if this is the name of a file/],
  [{ cert: localhost.cert }, /^tls\.key is missing/],
  [{ servername: "127.0.0.1" }, /^tls\.servername: "127\.0\.0\.1" given; it takes a name/],
  [{ servername: "a:443" }, /^tls\.servername: "a:443" given, a host name is allowed/],
  [{ minVersion: "SSLv3" as never }, /^tls\.minVersion: "SSLv3" given/],
];

test("a channel refuses what a listener refuses, by name", () => {
  for (const [tls, text] of CHANNEL_CASES) {
    assert.throws(() => new Channel("localhost:1", { tls: tls! }), { name: "TypeError", message: text });
  }
});

test("a channel's servername stands in :authority unless authority does", async () => {
  const { ca } = { ca: authority.cert };
  assert.equal(new Channel("10.0.0.1:443", { tls: { ca, servername: "users.example" } }).authority, "users.example");
  const both = { tls: { ca, servername: "users.example" }, authority: "front.example" };
  assert.equal(new Channel("10.0.0.1:443", both).authority, "front.example");
  assert.equal(new Channel("10.0.0.1:443", { tls: true }).authority, "10.0.0.1:443");
  assert.equal(resolveChannelOptions({ tls: false }).tls, undefined);
});

test("PEM may be text or octets, CAs a list or one text, a key encrypted", async (t) => {
  const tls = {
    cert: Buffer.from(localhost.cert),
    key: new TextEncoder().encode(encryptedKey(localhost.key, "p")),
    passphrase: "p",
  };
  const lab = await TlsLab.open(t, tls);
  const other = new Authority("other").cert;
  for (const ca of [[other, Buffer.from(authority.cert)], other + authority.cert]) {
    assert.equal((await lab.channel({ ca }).client.unary({ value: "a" })).value, "a");
  }
});

test("nothing that prints objects prints a key", () => {
  const credentials = new TlsCredentials(localhost);
  const { tls } = resolveChannelOptions({ tls: { ...localhost, ca: authority.cert } });
  for (const text of [inspect({ credentials, tls }, { depth: 9 }), JSON.stringify({ credentials, tls })]) {
    assert.doesNotMatch(text, /PRIVATE KEY|BEGIN/);
  }
});

test("CVE-2021-44532 a name that contains the separator is one name", () => {
  assert.deepEqual(parseAltNames("DNS:a.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, URI:spiffe://a/b"), [
    "DNS:a.example",
    "IP Address:127.0.0.1",
    "IP Address:0:0:0:0:0:0:0:1",
    "URI:spiffe://a/b",
  ]);
  assert.deepEqual(parseAltNames('URI:"http://a/, DNS:good.example", DNS:"x\\"y, DNS:z"'), [
    "URI:http://a/, DNS:good.example",
    'DNS:x"y, DNS:z',
  ]);
  assert.deepEqual(parseAltNames(""), []);
});
