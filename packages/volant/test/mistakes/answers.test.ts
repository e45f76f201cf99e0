/** What the errors of calls say of mistakes that only a peer or the network shows. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server as NetServer } from "node:net";
import { type TestContext, test } from "node:test";
import { inspect } from "node:util";
import { RpcError, Server, StatusCode } from "volant";
import { createTestChannel, useServer } from "volant/testing";
import { createClient } from "../../src/index.ts";
import { openChannel, withServer } from "../client/support/harness.ts";
import { Lab } from "../gen/lab_pb.ts";
import { failureOf, withHandlers } from "../server/support/lab-service.ts";
import { authority, TlsLab } from "../tls/support/tls-lab.ts";

const { RESOURCE_EXHAUSTED, UNAVAILABLE, UNIMPLEMENTED, NOT_FOUND } = StatusCode;

test("a message that is too large says whose limit it is, its option and what to do", async (t) => {
  const lab = await useServer(t, withHandlers({ unary: ({ number }) => ({ body: randomBytes(number) }) }), {
    server: { maxReceiveMessageBytes: 2_000 },
    channel: { maxReceiveMessageBytes: 1_000 },
  });
  const client = lab.client(Lab, { maxReceiveMessageBytes: 1_000, compression: { send: "gzip", minBytes: 2_500 } });
  const request = await failureOf(client.unary({ body: new Uint8Array(2_100) }), RESOURCE_EXHAUSTED);
  assert.equal(
    request.message,
    "a message of 2103 bytes is larger than the 2000 bytes that the server accepts; send less at a time, or raise " +
      "maxReceiveMessageBytes of the server",
  );
  const response = await failureOf(client.unary({ number: 1_100 }), RESOURCE_EXHAUSTED);
  assert.equal(
    response.message,
    "a message of 1103 bytes is larger than the 1000 bytes that the channel accepts; ask for less at a time, or raise " +
      "maxReceiveMessageBytes of the channel",
  );
  const inflated = await failureOf(client.unary({ body: new Uint8Array(5_000) }), RESOURCE_EXHAUSTED);
  assert.equal(
    inflated.message,
    "a compressed message cannot be accepted: it inflates to more than the 2000 bytes that the server accepts; send less at a " +
      "time, or raise maxReceiveMessageBytes of the server",
  );
});

test("a message for which the budget has no room names the option of the budget", async (t) => {
  const lab = await useServer(t, withHandlers({}), { server: { maxBufferedBytes: 100_000 } });
  const gzip = lab.client(Lab, { compression: { send: "gzip" } });
  const inflated = await failureOf(gzip.unary({ body: new Uint8Array(200_000) }), RESOURCE_EXHAUSTED);
  assert.equal(
    inflated.message,
    "a compressed message cannot be accepted: it inflates to more than the 100000 bytes that the server accepts; send less at " +
      "a time, or raise maxBufferedBytes of the server",
  );
  const plain = await failureOf(lab.client(Lab).unary({ body: randomBytes(200_000) }), RESOURCE_EXHAUSTED);
  assert.equal(
    plain.message,
    "too many large messages are under way: those of the server may hold 100000 bytes together, and one peer a share of that; " +
      "try again later, or raise maxBufferedBytes of the server",
  );
});

test("a method that was left out under partial says so, and one that there is not says that", async (t) => {
  const lab = await useServer(t, (server) => server.add(Lab, { download: () => [] }, { partial: true }));
  const { message } = await failureOf(lab.client(Lab).unary({}), UNIMPLEMENTED);
  assert.equal(message, "/volant.test.Lab/Unary is a method of the service, and this server does not implement it");
});

test("an instance of a class may have functions of its own, as fields and as methods", async (t) => {
  class Service {
    readonly log = (): string => "logged";
    readonly store: () => string;
    constructor(store: () => string) {
      this.store = store;
    }
    unary() {
      return { text: `${this.log()} ${this.store()} ${this.helper()}` };
    }
    helper(): string {
      return "helped";
    }
  }
  const lab = await useServer(t, (server) => server.add(Lab, new Service(() => "stored"), { partial: true }));
  assert.equal((await lab.client(Lab).unary({})).text, "logged stored helped");
});

test("an error of a call prints its code and its method, and its message stays plain", async (t) => {
  const lab = await useServer(
    t,
    withHandlers({
      unary: () => {
        throw new RpcError(NOT_FOUND, "User 42 not found");
      },
    }),
  );
  const client = lab.client(Lab);
  async function loadUser() {
    return await client.unary({});
  }
  const error = await failureOf(loadUser(), NOT_FOUND);
  const line = "RpcError: NOT_FOUND /volant.test.Lab/Unary: User 42 not found";
  assert.deepEqual(
    [error.message, error.method, error.name],
    ["User 42 not found", "/volant.test.Lab/Unary", "RpcError"],
  );
  assert.equal(String(error), line);
  assert.ok(error.stack?.startsWith(`${line}\n    at async loadUser (`), error.stack);
  assert.ok(inspect(error).startsWith(`${line}\n    at async loadUser (`), inspect(error));
  assert.deepEqual(Object.keys(error).sort(), ["code", "details", "origin"]);
});

test("every end of a call names its method, whatever the kind; an error of the application stays its own", async (t) => {
  const refusal = new RpcError(StatusCode.PERMISSION_DENIED, "not you");
  const server = new Server().add(Lab, { unary: () => ({}) }, { partial: true });
  const channel = createTestChannel(server);
  t.after(() => channel.close());
  const client = createClient(Lab, channel);
  const signal = AbortSignal.abort();
  assert.equal((await failureOf(client.unary({}, { signal }), StatusCode.CANCELLED)).method, "/volant.test.Lab/Unary");
  assert.equal((await failureOf(client.upload([]), UNIMPLEMENTED)).method, "/volant.test.Lab/Upload");
  const late = client.unary({}, { timeoutMs: 0 });
  assert.equal((await failureOf(late, StatusCode.DEADLINE_EXCEEDED)).method, "/volant.test.Lab/Unary");
  const guarded = createClient(Lab, channel, {
    interceptors: [
      () => ({
        onCall() {
          throw refusal;
        },
      }),
    ],
  });
  await assert.rejects(guarded.unary({}), refusal);
  assert.equal(refusal.method, undefined);
  await channel.close();
  assert.equal((await failureOf(client.unary({}), StatusCode.CANCELLED)).method, "/volant.test.Lab/Unary");
});

test("a channel without TLS at a TLS port is told to use TLS, or asked", async (t) => {
  const lab = await TlsLab.open(t);
  const { message } = await failureOf(lab.channel(false).client.unary({}), UNAVAILABLE);
  assert.match(
    message,
    /^no connection to 127\.0\.0\.1:\d+: .*(the server answers in TLS: the channel needs its option tls|whether it expects TLS)/,
  );
  await lab.reported();
});

for (const [what, octets, said] of [
  [
    "a TLS alert",
    Buffer.from("15030100020246", "hex"),
    /the server answers in TLS: the channel needs its option tls \(true, or/,
  ],
  [
    "two TLS alerts",
    Buffer.from("1503030002024615030300020100", "hex"),
    /the server answers in TLS: the channel needs its/,
  ],
  [
    "half a TLS alert",
    Buffer.from("1503", "hex"),
    /closed the connection before it sent HTTP\/2 SETTINGS: check the port, and whether it expects TLS$/,
  ],
  [
    "nothing",
    Buffer.alloc(0),
    /closed the connection before it sent HTTP\/2 SETTINGS: check the port, and whether it expects TLS$/,
  ],
  [
    "HTTP/1.1 400",
    Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"),
    /the server answers in HTTP\/1, not in HTTP\/2: check the port, and whether a proxy is in between; it may expect TLS$/,
  ],
  [
    "the greeting of SSH",
    Buffer.from("SSH-2.0-OpenSSH_9.6\r\n"),
    /the server does not speak HTTP\/2: check the port; it may expect TLS$/,
  ],
] as const) {
  test(`a server that answers with ${what} is one that may expect TLS`, async (t) => {
    const target = await serve(
      t,
      createServer((socket) => socket.once("data", () => socket.end(octets)).on("error", () => undefined)),
    );
    const { message } = await failureOf(openChannel(t, target).client.unary({}), UNAVAILABLE);
    assert.match(message, said);
  });
}

test("a channel with TLS at a port without TLS is told the reverse, whatever the server speaks", async (t) => {
  const { port } = await withServer(t);
  const http = await serve(t, createHttpServer());
  const closing = await serve(
    t,
    createServer((socket) => socket.end()),
  );
  for (const target of [`127.0.0.1:${port}`, http, closing]) {
    const { client } = openChannel(t, target, { tls: { ca: authority.cert } });
    const { message } = await failureOf(client.unary({}), UNAVAILABLE);
    assert.match(
      message,
      /TLS: the server (does not speak TLS; check the port, or leave tls out|closed the connection in the TLS handshake; it may not speak TLS)/,
    );
  }
});

async function serve(t: TestContext, server: NetServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
