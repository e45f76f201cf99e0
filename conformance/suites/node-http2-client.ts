/**
 * Our server, seen by a `node:http2` client. Every case has a connection of its own and ends with nothing left open on it.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import type { Http2Options } from "volant/http2";
import { patternBody } from "../programs/body.ts";
import { testIdentity } from "../programs/certificates.ts";
import { type EchoConnection, startEchoServer } from "../programs/echo-server.ts";
import { BODY_SIZES } from "./body-sizes.ts";
import type { Check, Checks } from "./suite.ts";
import type { Wire } from "./wires.ts";

type Session = http2.ClientHttp2Session;
type Use = (session: Session, connection: () => EchoConnection) => Promise<void>;

interface Setup {
  readonly server?: Http2Options;
  readonly client?: http2.Settings;
}

type WithSession = (use: Use, setup?: Setup) => Check;

function sessionOver(wire: Wire): WithSession {
  return (use, { server = {}, client = {} } = {}) =>
    async () => {
      const { ca, ...identity } = testIdentity();
      const isSecure = wire === "TLS";
      const echo = await startEchoServer(server, isSecure ? identity : undefined);
      const session = isSecure
        ? http2.connect(`https://127.0.0.1:${echo.port}`, { settings: client, ca })
        : http2.connect(`http://127.0.0.1:${echo.port}`, { settings: client });
      const failures: Error[] = [];
      session.on("error", (error) => failures.push(error));
      try {
        await once(session, "remoteSettings");
        const [connection] = echo.connections;
        await use(session, () => connection!);
        assert.deepEqual(failures, [], "the session has no error");
        assert.equal(connection!.driver.http2.streamCount, 0, "no stream is left open on our side");
        assert.equal(connection!.driver.http2.windows.held, 0, "everything received was granted again");
      } finally {
        session.destroy();
        await echo.close();
      }
    };
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: http2.IncomingHttpHeaders;
}

interface RequestInit {
  readonly path?: string;
  readonly method?: string;
  readonly body?: Buffer;
  readonly headers?: http2.OutgoingHttpHeaders;
  readonly trailers?: http2.OutgoingHttpHeaders;
}

async function request(session: Session, init: RequestInit): Promise<Answer> {
  const { path = "/", body, trailers, headers = {} } = init;
  const { method = body === undefined ? "GET" : "POST" } = init;
  const stream = session.request(
    { ...headers, ":method": method, ":path": path },
    { endStream: body === undefined && trailers === undefined, waitForTrailers: trailers !== undefined },
  );
  if (trailers !== undefined) stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  let received: http2.IncomingHttpHeaders = {};
  let receivedTrailers: http2.IncomingHttpHeaders = {};
  stream.on("response", (fields) => {
    received = fields;
  });
  stream.on("trailers", (fields) => {
    receivedTrailers = fields;
  });
  if (body !== undefined || trailers !== undefined) stream.end(body);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  // Node adds a symbol of its own to the fields, which a comparison would see.
  const trailersOnly = Object.fromEntries(Object.entries(receivedTrailers));
  return {
    status: Number(received[":status"]),
    headers: received,
    body: Buffer.concat(chunks),
    trailers: trailersOnly,
  };
}

async function checkEcho(session: Session, bytes: number, trailers?: http2.OutgoingHttpHeaders): Promise<void> {
  const body = patternBody(bytes);
  const answer = await request(session, { body, ...(trailers !== undefined && { trailers }) });
  assert.equal(answer.status, 200);
  assert.ok(answer.body.equals(body), `${bytes} octets come back as they were (${answer.body.length} came)`);
  assert.deepEqual(answer.trailers, trailers ?? {});
}

async function checkDownload(session: Session, bytes: number): Promise<void> {
  const { body } = await request(session, { path: `/bytes/${bytes}` });
  assert.ok(body.equals(patternBody(bytes)), `${bytes} octets are as they should be (${body.length} came)`);
}

const range = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

function sizeChecks(withSession: WithSession): Checks {
  const checks: Record<string, Check> = {};
  for (const bytes of BODY_SIZES) {
    checks[`echo of ${bytes} octets`] = withSession((session) => checkEcho(session, bytes));
    checks[`echo of ${bytes} octets with trailers`] = withSession((session) =>
      checkEcho(session, bytes, { "x-a": "1" }),
    );
    checks[`download of ${bytes} octets`] = withSession((session) => checkDownload(session, bytes));
  }
  return checks;
}

async function checkReset(session: Session, connection: () => EchoConnection): Promise<void> {
  const stream = session.request({ ":method": "POST", ":path": "/never" });
  stream.write("x");
  // A ping is answered after everything sent before it was seen.
  await ping(session);
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await once(stream, "close");
  await ping(session);
  assert.deepEqual(connection().resets, [http2.constants.NGHTTP2_CANCEL]);
}

async function checkOurReset(session: Session): Promise<void> {
  const { NGHTTP2_REFUSED_STREAM, NGHTTP2_ENHANCE_YOUR_CALM } = http2.constants;
  for (const code of [NGHTTP2_REFUSED_STREAM, NGHTTP2_ENHANCE_YOUR_CALM]) {
    const stream = session.request({ ":path": `/reset/${code}` });
    await once(stream, "error");
    assert.equal(stream.rstCode, code);
  }
}

async function checkEarlyAnswer(session: Session): Promise<void> {
  const stream = session.request({ ":method": "POST", ":path": "/early" });
  stream.write("the body is never ended");
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  assert.equal(Buffer.concat(chunks).toString(), "hello\n");
  assert.equal(stream.rstCode, http2.constants.NGHTTP2_NO_ERROR);
}

async function checkDrain(session: Session): Promise<void> {
  const goAway = once(session, "goaway");
  const slow = session.request({ ":method": "POST", ":path": "/" });
  await once(slow, "response");
  assert.equal((await request(session, { path: "/drain" })).body.toString(), "hello\n");
  assert.deepEqual((await goAway).slice(0, 2), [0, 2 ** 31 - 1]);
  slow.end("late but fine");
  const chunks: Buffer[] = [];
  for await (const chunk of slow) chunks.push(chunk as Buffer);
  assert.equal(Buffer.concat(chunks).toString(), "late but fine");
}

async function checkSettingsChanges(session: Session): Promise<void> {
  const changes: http2.Settings[] = [
    { initialWindowSize: 100 },
    { initialWindowSize: 1_000_000, maxFrameSize: 1_000_000 },
    { headerTableSize: 0 },
    { headerTableSize: 4096, maxFrameSize: 16_384, initialWindowSize: 1_000 },
    { initialWindowSize: 65_535 },
  ];
  for (const settings of changes) {
    const during = checkEcho(session, 100_000);
    const acknowledged = once(session, "localSettings");
    session.settings(settings);
    await acknowledged;
    await Promise.all([during, checkEcho(session, 200_000)]);
  }
}

function ping(session: Session): Promise<void> {
  return new Promise((resolve, reject) => {
    session.ping((error) => (error === null ? resolve() : reject(error)));
  });
}

export function nodeClientChecks(wire: Wire): Checks {
  const withSession = sessionOver(wire);
  return { ...sizeChecks(withSession), ...loadChecks(withSession), ...behaviourChecks(withSession) };
}

function loadChecks(withSession: WithSession): Checks {
  return {
    "1,000 requests one after the other": withSession(async (session) => {
      for (const at of range(1_000)) await checkEcho(session, at);
    }),
    "2,000 requests at once": withSession(async (session) => {
      await Promise.all(range(2_000).map((at) => checkEcho(session, at)));
    }),
    "100 large downloads at once": withSession(async (session) => {
      await Promise.all(range(100).map((at) => checkDownload(session, 200_000 + at)));
    }),
    "100 echoes through our smallest windows and no table": withSession(
      (session) => Promise.all(range(100).map((at) => checkEcho(session, at * 500))).then(() => {}),
      { server: { initialStreamWindowBytes: 1_000, connectionWindowBytes: 65_535, headerTableBytes: 0 } },
    ),
    "100 echoes through a client's small windows and no table": withSession(
      (session) => Promise.all(range(100).map((at) => checkEcho(session, at * 500))).then(() => {}),
      { client: { initialWindowSize: 500, headerTableSize: 0 } },
    ),
    "one stream at a time": withSession(
      (session) => Promise.all(range(20).map((at) => checkEcho(session, at))).then(() => {}),
      { server: { maxConcurrentStreams: 1 } },
    ),
  };
}

function behaviourChecks(withSession: WithSession): Checks {
  return {
    "settings change under way": withSession(checkSettingsChanges),
    "the client's reset arrives": withSession(checkReset),
    "our resets arrive": withSession(checkOurReset),
    "an answer before the request is over": withSession(checkEarlyAnswer),
    "a drain lets requests finish": withSession(checkDrain),
    "pings are answered": withSession(async (session) => {
      for (const _ of range(50)) await ping(session);
    }),
    "response trailers": withSession(async (session) => {
      const { trailers } = await request(session, { path: "/trailers" });
      assert.deepEqual(trailers, { "x-check": "1" });
    }),
    "a response header of 14,000 octets": withSession(async (session) => {
      const { headers } = await request(session, { path: "/headers/14000" });
      assert.equal(headers["x-large"], "v".repeat(14_000));
    }),
    "a response header of 40,000 octets, in CONTINUATION frames": withSession(async (session) => {
      const { headers } = await request(session, { path: "/headers/40000" });
      assert.equal(headers["x-large"], "v".repeat(40_000));
    }),
    "a request header of 14,000 octets": withSession(async (session) => {
      const { status } = await request(session, { headers: { "x-large": "v".repeat(14_000) } });
      assert.equal(status, 200);
    }),
    "PUT, DELETE and OPTIONS": withSession(async (session) => {
      for (const method of ["PUT", "DELETE", "OPTIONS"]) {
        assert.equal((await request(session, { method, body: Buffer.from("x") })).body.toString(), "x");
      }
    }),
  };
}
