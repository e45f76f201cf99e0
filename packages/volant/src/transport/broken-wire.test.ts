/** What calls are told of a socket that broke, and what is counted for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { breakReason, faultOfBreak, TLS_BROKEN } from "./broken-wire.ts";

function errorOf(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

const BAD_MAC = errorOf(
  "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
  "403DEEEE787F0000:error:0A000119:SSL routines:tls_get_more_records:decryption failed or bad record mac:" +
    "../deps/openssl/openssl/ssl/record/methods/tls_common.c:873:\n",
);
/** As Node tells of a write. */
const WRITE = errorOf("EPROTO", `write EPROTO ${BAD_MAC.message}`);
const ALERT = errorOf(
  "ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC",
  "80D2EEEE787F0000:error:0A0003FC:SSL routines:ssl3_read_bytes:ssl/tls alert bad record mac:" +
    "../deps/openssl/openssl/ssl/record/rec_layer_s3.c:918:SSL alert number 20\n",
);
const OTHER_LIBRARY = errorOf(
  "ERR_OSSL_BAD_DECRYPT",
  "403DEEEE787F0000:error:1C800064:Provider routines:ossl_cipher_unpadblock:bad decrypt:../deps/openssl/x.c:129:\n",
);
const WORDLESS = errorOf("ERR_SSL_REASON", "403DEEEE787F0000:error:0A0FFFFF:SSL routines:::../deps/openssl/x.c:129:\n");
const NO_CERTIFICATE = errorOf(
  "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
  "80D2EEEE787F0000:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../deps/x.c:9:\n",
);

const CASES: readonly (readonly [Error, string])[] = [
  [
    BAD_MAC,
    "TLS: what the server sent cannot be read: decryption failed or bad record mac (ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC)",
  ],
  [WRITE, "TLS: what the server sent cannot be read: decryption failed or bad record mac (EPROTO)"],
  [
    ALERT,
    'TLS: the server ended the connection with the alert "bad record mac" (ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC)',
  ],
  [OTHER_LIBRARY, "TLS: what the server sent cannot be read: bad decrypt (ERR_OSSL_BAD_DECRYPT)"],
  [WORDLESS, "TLS: what the server sent cannot be read: OpenSSL has no words for it (ERR_SSL_REASON)"],
  [
    NO_CERTIFICATE,
    "TLS: the server requires a client certificate; give tls.cert and tls.key (ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED)",
  ],
  [errorOf("ECONNRESET", "read ECONNRESET"), "the server reset it (ECONNRESET)"],
  [errorOf("EPIPE", "write EPIPE"), "the server had closed it (EPIPE)"],
  [errorOf("ETIMEDOUT", "read ETIMEDOUT"), "the host of the server has answered nothing for too long (ETIMEDOUT)"],
  [errorOf("EHOSTUNREACH", "read EHOSTUNREACH"), "the host of the server cannot be reached any more (EHOSTUNREACH)"],
  [errorOf("EBADF", "read EBADF"), "read EBADF"],
];

for (const [error, text] of CASES) {
  const { code = "" } = error as NodeJS.ErrnoException;

  test(`${code}: a client's calls are told in words`, () => {
    assert.equal(breakReason("client", error), text);
  });

  test(`${code}: ${text.startsWith("TLS") ? "counted as broken TLS" : "an ordinary end of a connection"}`, () => {
    assert.equal(faultOfBreak(error), text.startsWith("TLS") ? TLS_BROKEN : undefined);
  });
}

test("a server's handlers are told of the client", () => {
  assert.match(breakReason("server", BAD_MAC), /^TLS: what the client sent cannot be read/);
  assert.equal(breakReason("server", errorOf("EPIPE", "write EPIPE")), "the client had closed it (EPIPE)");
});

test("a clean end counts as nothing", () => {
  assert.equal(faultOfBreak(undefined), undefined);
});
