/**
 * Our client, facing a `node:http2` server. Every case has a connection of its own and ends with nothing left open on it.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { ErrorCode, type Http2Options } from "volant/http2";
import { patternBody } from "../programs/body.ts";
import { testIdentity } from "../programs/certificates.ts";
import { CoreClient, StreamReset } from "../programs/core-client.ts";
import { BODY_SIZES } from "./body-sizes.ts";
import type { Check, Checks } from "./suite.ts";
import type { Wire } from "./wires.ts";

/** Node resets streams of a session that has more than 10 MB queued, unless it may. */
const SESSION_MEGABYTES = 1_000;

type Use = (client: CoreClient, session: http2.ServerHttp2Session) => Promise<void>;

interface Setup {
  readonly client?: Http2Options;
  readonly server?: http2.Settings;
}

type WithServer = (use: Use, setup?: Setup) => Check;

function serverOver(wire: Wire): WithServer {
  return (use, { client: options = {}, server: settings = {} } = {}) =>
    async () => {
      const { ca, ...identity } = testIdentity();
      const isSecure = wire === "TLS";
      const own = { settings, maxSessionMemory: SESSION_MEGABYTES };
      const server = isSecure ? http2.createSecureServer({ ...own, ...identity }) : http2.createServer(own);
      server.on("stream", (stream, headers) => serve(stream, headers));
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const accepted = once(server, "session");
      const { port } = server.address() as AddressInfo;
      const client = await CoreClient.connect(port, options, isSecure ? ca : undefined);
      const [session] = (await accepted) as [http2.ServerHttp2Session];
      try {
        await use(client, session);
        assert.equal(client.driver.http2.streamCount, 0, "no stream is left open on our side");
        assert.equal(client.driver.http2.windows.held, 0, "everything received was granted again");
      } finally {
        await client.close();
        server.close();
        await once(server, "close");
      }
    };
}

/** The paths of `programs/echo-server.ts`, as far as they make sense here. */
function serve(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
  // A stream that our client resets has an error; that is its business.
  stream.on("error", () => stream.destroy());
  const [, command = "", argument = ""] = (headers[":path"] ?? "/").split("/");
  if (command === "reset") stream.close(Number(argument));
  else if (command === "bytes") respond(stream, {}, patternBody(Number(argument)));
  else if (command === "headers") respond(stream, { "x-large": "v".repeat(Number(argument)) }, Buffer.from("ok"));
  else if (command === "continue") {
    stream.additionalHeaders({ ":status": 103, "x-early": "1" });
    respond(stream, {}, Buffer.from("ok"));
  } else if (command === "early") {
    respond(stream, {}, Buffer.from("ok"));
    stream.close(http2.constants.NGHTTP2_NO_ERROR);
  } else if (command === "length") {
    respond(stream, { "x-length": headers["x-large"]?.length ?? 0 }, Buffer.from("ok"));
  } else if (command !== "never") echo(stream);
}

function respond(stream: http2.ServerHttp2Stream, headers: http2.OutgoingHttpHeaders, body: Buffer): void {
  stream.respond({ ":status": 200, ...headers });
  stream.end(body);
}

function echo(stream: http2.ServerHttp2Stream): void {
  let trailers: http2.IncomingHttpHeaders = {};
  stream.respond({ ":status": 200 }, { waitForTrailers: true });
  stream.on("trailers", (received) => {
    trailers = received;
  });
  stream.on("wantTrailers", () => stream.sendTrailers({ ...trailers, "x-end": "1" }));
  stream.pipe(stream);
}

async function checkEcho(
  client: CoreClient,
  bytes: number,
  trailers?: Readonly<Record<string, string>>,
): Promise<void> {
  const body = patternBody(bytes);
  const answer = await client.request({ method: "POST", path: "/", body, ...(trailers !== undefined && { trailers }) });
  assert.equal(answer.status, "200");
  assert.ok(answer.body.equals(body), `${bytes} octets come back as they were (${answer.body.length} came)`);
  assert.deepEqual(Object.fromEntries(answer.trailers), { ...trailers, "x-end": "1" });
}

async function checkDownload(client: CoreClient, bytes: number): Promise<void> {
  const { body } = await client.request({ path: `/bytes/${bytes}` });
  assert.ok(body.equals(patternBody(bytes)), `${bytes} octets are as they should be (${body.length} came)`);
}

const range = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

function sizeChecks(withServer: WithServer): Checks {
  const checks: Record<string, Check> = {};
  for (const bytes of BODY_SIZES) {
    checks[`echo of ${bytes} octets`] = withServer((client) => checkEcho(client, bytes));
    checks[`echo of ${bytes} octets with trailers`] = withServer((client) => checkEcho(client, bytes, { "x-a": "1" }));
    checks[`download of ${bytes} octets`] = withServer((client) => checkDownload(client, bytes));
  }
  return checks;
}

async function checkOurReset(client: CoreClient, session: http2.ServerHttp2Session): Promise<void> {
  const accepted = once(session, "stream") as Promise<[http2.ServerHttp2Stream]>;
  const exchange = client.start({ method: "POST", path: "/never", isOpen: true });
  const [stream] = await accepted;
  const closed = once(stream, "close");
  client.reset(exchange, ErrorCode.CANCEL);
  await closed;
  assert.equal(stream.rstCode, http2.constants.NGHTTP2_CANCEL);
}

async function checkServerReset(client: CoreClient): Promise<void> {
  for (const code of [ErrorCode.REFUSED_STREAM, ErrorCode.ENHANCE_YOUR_CALM, ErrorCode.INTERNAL_ERROR]) {
    const failure = client.request({ path: `/reset/${code}` });
    await assert.rejects(failure, (error) => error instanceof StreamReset && error.code === code);
  }
}

async function checkGoAway(client: CoreClient, session: http2.ServerHttp2Session): Promise<void> {
  const exchange = client.start({ method: "POST", path: "/", isOpen: true });
  await exchange.answered;
  session.goaway(http2.constants.NGHTTP2_NO_ERROR, exchange.stream!.id);
  const { lastStreamId, code } = await client.goAway;
  assert.deepEqual([lastStreamId, code], [exchange.stream!.id, ErrorCode.NO_ERROR]);
  assert.equal(client.canOpenStream, false);
  client.end(exchange, patternBody(100_000));
  assert.ok((await exchange.answer).body.equals(patternBody(100_000)));
}

async function checkSettingsChanges(client: CoreClient, session: http2.ServerHttp2Session): Promise<void> {
  const changes: http2.Settings[] = [
    { initialWindowSize: 100 },
    { initialWindowSize: 1_000_000, maxFrameSize: 1_000_000 },
    { headerTableSize: 0 },
    { headerTableSize: 4096, maxFrameSize: 16_384, initialWindowSize: 1_000 },
    { maxConcurrentStreams: 1, initialWindowSize: 65_535 },
  ];
  for (const settings of changes) {
    const during = checkEcho(client, 100_000);
    const acknowledged = once(session, "localSettings");
    session.settings(settings);
    // A stream opened before the change arrives may be refused; that would be nobody's fault.
    await acknowledged;
    await Promise.all([during, checkEcho(client, 200_000)]);
  }
}

export function nodeServerChecks(wire: Wire): Checks {
  const withServer = serverOver(wire);
  return { ...sizeChecks(withServer), ...loadChecks(withServer), ...behaviourChecks(withServer) };
}

function loadChecks(withServer: WithServer): Checks {
  return {
    "1,000 requests one after the other": withServer(async (client) => {
      for (const at of range(1_000)) await checkEcho(client, at);
    }),
    "2,000 requests at once, 60 of them under way": withServer(
      (client) => Promise.all(range(2_000).map((at) => checkEcho(client, at))).then(() => {}),
      { server: { maxConcurrentStreams: 60 } },
    ),
    "100 large downloads at once": withServer(async (client) => {
      await Promise.all(range(100).map((at) => checkDownload(client, 200_000 + at)));
    }),
    "100 echoes through our smallest windows and no table": withServer(
      (client) => Promise.all(range(100).map((at) => checkEcho(client, at * 500))).then(() => {}),
      { client: { initialStreamWindowBytes: 1_000, connectionWindowBytes: 65_535, headerTableBytes: 0 } },
    ),
    "100 echoes through a server's small windows and no table": withServer(
      (client) => Promise.all(range(100).map((at) => checkEcho(client, at * 500))).then(() => {}),
      { server: { initialWindowSize: 500, headerTableSize: 0 } },
    ),
  };
}

function behaviourChecks(withServer: WithServer): Checks {
  return {
    "settings change under way": withServer(checkSettingsChanges),
    "our reset arrives": withServer(checkOurReset),
    "the server's resets arrive": withServer(checkServerReset),
    "a GOAWAY lets the open request finish and no other start": withServer(checkGoAway),
    "an answer before the request is over": withServer(async (client) => {
      const exchange = client.start({ method: "POST", path: "/early", isOpen: true, body: Buffer.from("x") });
      assert.equal((await exchange.answer).body.toString(), "ok");
      await client.ping(1);
    }),
    "interim responses are passed over": withServer(async (client) => {
      const { status, headers } = await client.request({ path: "/continue" });
      assert.deepEqual([status, headers.has("x-early")], ["200", false]);
    }),
    "pings are answered, ours and the server's": withServer(async (client, session) => {
      for (const at of range(50)) await client.ping(at);
      await new Promise<void>((resolve, reject) => {
        session.ping((error) => (error === null ? resolve() : reject(error)));
      });
    }),
    "a response header of 14,000 octets": withServer(async (client) => {
      const { headers } = await client.request({ path: "/headers/14000" });
      assert.equal(headers.get("x-large"), "v".repeat(14_000));
    }),
    "a request header of 40,000 octets, in CONTINUATION frames": withServer(
      async (client) => {
        const { headers } = await client.request({ path: "/length", headers: { "x-large": "v".repeat(40_000) } });
        assert.equal(headers.get("x-length"), "40000");
      },
      { server: { maxHeaderListSize: 100_000 } },
    ),
  };
}
