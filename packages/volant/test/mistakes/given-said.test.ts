/**
 * What people give by mistake, and what they are told: one row each. The types refuse most of it; JavaScript does not.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Channel, createClient, Metadata, RpcError, Server, StatusCode, TlsCredentials } from "volant";
import { fromGrpcJs } from "volant/grpc-js";
import { resolveHttp2Options } from "volant/http2";
import { codecOf } from "volant/protobuf";
import { health, reflection } from "volant/services";
import { createTestChannel } from "volant/testing";
import { Lab, NoteSchema } from "../gen/lab_pb.ts";

type Row = readonly [given: string, run: () => unknown, said: string];
type Loose = Record<string, (...args: unknown[]) => Promise<unknown>>;

/** What the types would refuse. */
function js(value: unknown): never {
  return value as never;
}

const handlers = { unary: () => ({}), download: () => [], upload: () => ({}), chat: () => [] };
const { chat: _chat, ...withoutChat } = handlers;
const server = new Server().add(Lab, handlers);
const channel = createTestChannel(server);
const client = createClient(Lab, channel) as unknown as Loose;
const definition = {
  get: { path: "/a.B/Get", requestSerialize: () => undefined, requestStream: false },
};
after(() => channel.close());

class Slip {
  readonly log = (): string => "a function of its own";
  unary(): object {
    return {};
  }
  Download(): object[] {
    return [];
  }
}

class Statics {
  unary(): object {
    return {};
  }
}

const CALL_NAMES =
  "timeoutMs, deadline, signal, metadata, compression, onHeaders, onTrailers, waitForReady, idempotent, parent";
const OF_UNARY = "TypeError: options of /volant.test.Lab/Unary:";
const TARGETS = "host:port, dns:///host:port, ipv4:address:port, ipv6:[address]:port, unix:path or unix:///path";
const A_SERVICE = "a service that was generated from a .proto is allowed";
const LISTEN = "port, host, path, tls";

/** `…` at the end: what follows is a list of names that other tests have. */
const OF_OPTIONS: readonly Row[] = [
  [
    "new Server([])",
    () => new Server(js([])),
    "TypeError: new Server(): an array given, an object with options is allowed: { maxReceive…",
  ],
  [
    "new Server(null)",
    () => new Server(js(null)),
    "TypeError: new Server(): null given, an object with options is allowed: { maxReceive…",
  ],
  [
    "new Server({ maxRecieveMessageBytes: 1 })",
    () => new Server(js({ maxRecieveMessageBytes: 1 })),
    'TypeError: new Server(): there is no option "maxRecieveMessageBytes"; did you mean maxReceiveMessageBytes? (allowed: …',
  ],
  [
    "new Server({ http2: { maxConcurentStreams: 1 } })",
    () => new Server(js({ http2: { maxConcurentStreams: 1 } })),
    'TypeError: new Server(): http2: there is no option "maxConcurentStreams"; did you mean maxConcurrentStreams? (allowed: …',
  ],
  [
    "new Server({ keepalive: 5000 })",
    () => new Server(js({ keepalive: 5000 })),
    "TypeError: new Server(): keepalive: the number 5000 given, an object with options is allowed: { timeMs, timeoutMs }",
  ],
  [
    "new Server({ keepalive: { time: 1 } })",
    () => new Server(js({ keepalive: { time: 1 } })),
    'TypeError: new Server(): keepalive: there is no option "time"; did you mean timeMs? (allowed: timeMs, timeoutMs)',
  ],
  [
    "new Server({ keepaliveEnforcement: { permitWithoutCalls: 1 } })",
    () => new Server(js({ keepaliveEnforcement: { permitWithoutCalls: 1 } })),
    "TypeError: new Server(): keepaliveEnforcement: permitWithoutCalls: the number 1 given, true or false is allowed",
  ],
  [
    "new Server({ compression: { algorithm: 'gzip' } })",
    () => new Server(js({ compression: { algorithm: "gzip" } })),
    'TypeError: new Server(): compression: there is no option "algorithm" (allowed: send, accept, minBytes, offLoopBytes)',
  ],
  [
    "new Server({ compression: 'gzip' })",
    () => new Server(js({ compression: "gzip" })),
    'TypeError: new Server(): compression: the string "gzip" given, an object with options is allowed: { send, accept, minBytes, offLoopBytes }',
  ],
  [
    "new Server({ maxConnections: null })",
    () => new Server(js({ maxConnections: null })),
    "TypeError: new Server(): maxConnections: null given; leave the option out for its default",
  ],
  [
    "new Server({ maxConnections: '5' })",
    () => new Server(js({ maxConnections: "5" })),
    'RangeError: maxConnections: the string "5" given, a number 1 or more is allowed',
  ],
  [
    "new Server({ onError: 'log' })",
    () => new Server(js({ onError: "log" })),
    'TypeError: new Server(): onError: the string "log" given, a function is allowed',
  ],
  [
    "new Server({ interceptors: hook })",
    () => new Server(js({ interceptors: () => undefined })),
    "TypeError: interceptors: the function interceptors given, an array of interceptors is allowed",
  ],
  [
    "new Server({ interceptors: [{ onCall }] })",
    () => new Server(js({ interceptors: [{ onCall() {} }] })),
    "TypeError: interceptors[0]: an object (Object) given; an interceptor is a function that is called once for each method and returns its hooks: (method) => ({ onCall(call) { … } })",
  ],
  [
    "listen('0.0.0.0:5000')",
    () => server.listen(js("0.0.0.0:5000")),
    `TypeError: server.listen(): the string "0.0.0.0:5000" given, an object with options is allowed: { ${LISTEN} }`,
  ],
  [
    "listen(5000)",
    () => server.listen(js(5000)),
    `TypeError: server.listen(): the number 5000 given, an object with options is allowed: { ${LISTEN} }`,
  ],
  [
    "listen({ prot: 5000 })",
    () => server.listen(js({ prot: 5000 })),
    `TypeError: server.listen(): there is no option "prot"; did you mean port? (allowed: ${LISTEN})`,
  ],
  [
    "listen({ port: '5000' })",
    () => server.listen(js({ port: "5000" })),
    'RangeError: port: the string "5000" given, an integer from 0 to 65535 is allowed',
  ],
  [
    "listen({ host: 5 })",
    () => server.listen(js({ host: 5 })),
    "TypeError: server.listen(): host: the number 5 given, a string is allowed",
  ],
  [
    "listen({ credentials })",
    () => server.listen(js({ credentials: {} })),
    `TypeError: server.listen(): there is no option "credentials"; did you mean tls? (allowed: ${LISTEN})`,
  ],
  [
    "listen({ tls: { certificate } })",
    () => server.listen(js({ tls: { certificate: "x" } })),
    'TypeError: server.listen(): tls: there is no option "certificate"; did you mean cert? (allowed: cert, key, passphrase, ca, minVersion, ciphers, credentials, requestClientCert, serverNames, handshakeTimeoutMs)',
  ],
  [
    "drain(5000)",
    () => server.drain(js(5000)),
    "TypeError: server.drain(): the number 5000 given, an object with options is allowed: { graceMs }",
  ],
  [
    "drain({ gracePeriodMs: 1 })",
    () => server.drain(js({ gracePeriodMs: 1 })),
    'TypeError: server.drain(): there is no option "gracePeriodMs" (allowed: graceMs)',
  ],
  [
    "drain({ graceMs: NaN })",
    () => server.drain({ graceMs: Number.NaN }),
    "RangeError: graceMs: NaN given, a number 0 or more is allowed",
  ],
  [
    "new Channel()",
    () => new Channel(js(undefined)),
    `TypeError: new Channel(): undefined given as target; a string is allowed: ${TARGETS}`,
  ],
  [
    "new Channel({ target })",
    () => new Channel(js({ target: "a:1" })),
    `TypeError: new Channel(): an object (Object) given as target; a string is allowed: ${TARGETS}`,
  ],
  [
    "new Channel(new URL('http://a:1'))",
    () => new Channel(js(new URL("http://a:1"))),
    `TypeError: new Channel(): an object (URL) given as target; a string is allowed: ${TARGETS}`,
  ],
  [
    "new Channel(t, 'insecure')",
    () => new Channel("a:1", js("insecure")),
    'TypeError: new Channel(): the string "insecure" given, an object with options is allowed: { maxReceive…',
  ],
  [
    "new Channel(t, { 'grpc.max_receive_message_length': 5 })",
    () => new Channel("a:1", js({ "grpc.max_receive_message_length": 5 })),
    'TypeError: new Channel(): there is no option "grpc.max_receive_message_length"; did you mean maxReceiveMessageBytes? (allowed: …',
  ],
  [
    "new Channel(t, { retry: { maxAttempts: '4' } })",
    () => new Channel("a:1", js({ retry: { maxAttempts: "4" } })),
    'RangeError: retry.maxAttempts: the string "4" given, a whole number 1 or more is allowed',
  ],
  [
    "new Channel(t, { retry: true })",
    () => new Channel("a:1", js({ retry: true })),
    "TypeError: new Channel(): retry: the boolean true given, an object with options is allowed: { maxAttempts, backoff, codes, methods, throttling }",
  ],
  [
    "new Channel(t, { retry: { codes: 14 } })",
    () => new Channel("a:1", js({ retry: { codes: 14 } })),
    "TypeError: new Channel(): retry: codes: the number 14 given, an array is allowed",
  ],
  [
    "new Channel(t, { retry: { backoff: { maxMS: 1 } } })",
    () => new Channel("a:1", js({ retry: { backoff: { maxMS: 1 } } })),
    'TypeError: new Channel(): retry: backoff: there is no option "maxMS"; did you mean maxMs? (allowed: initialMs, multiplier, jitter, maxMs)',
  ],
  [
    "new Channel(t, { retry: { throttling: true } })",
    () => new Channel("a:1", js({ retry: { throttling: true } })),
    "TypeError: new Channel(): retry: throttling: the boolean true given, an object with options is allowed: { maxTokens, tokenRatio }",
  ],
  [
    "new Channel(t, { backoff: { initial: 1 } })",
    () => new Channel("a:1", js({ backoff: { initial: 1 } })),
    'TypeError: new Channel(): backoff: there is no option "initial"; did you mean initialMs? (allowed: initialMs, multiplier, jitter, maxMs)',
  ],
  [
    "new Channel(t, { replayBuffer: { bytes: 1 } })",
    () => new Channel("a:1", js({ replayBuffer: { bytes: 1 } })),
    'TypeError: new Channel(): replayBuffer: there is no option "bytes"; did you mean callBytes? (allowed: callBytes, channelBytes)',
  ],
  [
    "new Channel(t, { tls: { rejectUnauthorized: false } })",
    () => new Channel("a:1", js({ tls: { rejectUnauthorized: false } })),
    'TypeError: new Channel(): tls: there is no option "rejectUnauthorized" (allowed: cert, key, passphrase, ca, minVersion, ciphers, credentials, servername)',
  ],
  [
    "new Channel(t, { connectTimeoutMs: NaN })",
    () => new Channel("a:1", { connectTimeoutMs: Number.NaN }),
    "RangeError: connectTimeoutMs: NaN given, a number from 1 to 2147483647 is allowed",
  ],
  [
    "createTestChannel(server, { fault: f })",
    () => createTestChannel(server, js({ fault: () => undefined })),
    'TypeError: createTestChannel(): there is no option "fault"; did you mean faults? (allowed: …',
  ],
  [
    "createTestChannel('localhost:1')",
    () => createTestChannel(js("localhost:1")),
    'TypeError: createTestChannel(): the string "localhost:1" given as server; the result of new Server() is allowed',
  ],
  [
    "new TlsCredentials({ certificate })",
    () => new TlsCredentials(js({ certificate: "x" })),
    'TypeError: new TlsCredentials(): there is no option "certificate"; did you mean cert? (allowed: cert, key, passphrase, ca)',
  ],
  [
    "TlsCredentials.load('cert.pem')",
    () => TlsCredentials.load(js("cert.pem")),
    'TypeError: TlsCredentials.load(): the string "cert.pem" given; it takes a function that returns { cert, key, ca }',
  ],
  [
    "TlsCredentials.load(load, { intervalMs: 1 })",
    () => TlsCredentials.load(() => ({}), js({ intervalMs: 1 })),
    'TypeError: TlsCredentials.load(): there is no option "intervalMs"; did you mean reloadIntervalMs? (allowed: reloadIntervalMs, onError)',
  ],
  [
    "health()",
    () => health(js(undefined)),
    "TypeError: health(): undefined given as server; the result of new Server() is allowed",
  ],
  [
    "reflection(server, { service: f })",
    () => reflection(server, js({ service: () => true })),
    'TypeError: reflection(): there is no option "service"; did you mean services? (allowed: services, files)',
  ],
  [
    "codecOf(schema, { bytes: 'views' })",
    () => codecOf(NoteSchema, js({ bytes: "views" })),
    'TypeError: codecOf(): bytes: the string "views" given, "copy" or "view" is allowed',
  ],
  [
    "codecOf(schema, { unknown: 'drop' })",
    () => codecOf(NoteSchema, js({ unknown: "drop" })),
    'TypeError: codecOf(): there is no option "unknown"; did you mean unknownFields? (allowed: bytes, unknownFields, maxDecodedValues)',
  ],
  [
    "resolveHttp2Options({ maxFrames: 1 })",
    () => resolveHttp2Options(js({ maxFrames: 1 })),
    'UsageError: there is no option "maxFrames" (allowed: …',
  ],
  [
    "new RpcError(code, text, { detail })",
    () => new RpcError(StatusCode.ABORTED, "", js({ detail: [] })),
    'TypeError: new RpcError(): there is no option "detail"; did you mean details? (allowed: details, metadata, cause)',
  ],
  [
    "new RpcError(code, text, error)",
    () => new RpcError(StatusCode.ABORTED, "", js(new Error("x"))),
    "TypeError: new RpcError(): an error given as options; give { cause: error }",
  ],
];

const OF_SERVICES: readonly Row[] = [
  [
    "server.add(undefined)",
    () => server.add(js(undefined), js({})),
    `TypeError: server.add(): undefined given as service; ${A_SERVICE}`,
  ],
  [
    "server.add(Service)",
    () => new Server().add(Lab, js(undefined)),
    "TypeError: server.add(): undefined given as handlers of volant.test.Lab; an object with a function for each method is allowed",
  ],
  [
    "server.add(handlers, Service)",
    () => server.add(js(handlers), js(Lab)),
    "TypeError: server.add(): the service stands in the second place; it comes first: server.add(Service, handlers)",
  ],
  [
    "server.add(Message, handlers)",
    () => server.add(js(NoteSchema), js({})),
    `TypeError: server.add(): the message volant.test.Note given as service; ${A_SERVICE}`,
  ],
  [
    "server.add(definition of grpc-js, handlers)",
    () => server.add(js(definition), js({})),
    `TypeError: server.add(): a definition of grpc-js given; make a service of it: fromGrpcJs(definition), from volant/grpc-js; ${A_SERVICE}`,
  ],
  [
    "server.add(module, handlers)",
    () => server.add(js({ Lab }), js({})),
    `TypeError: server.add(): an object (Object) given as service; its member Lab is one; ${A_SERVICE}`,
  ],
  [
    "server.add(Service, handlers, { partail: true })",
    () => new Server().add(Lab, handlers, js({ partail: true })),
    'TypeError: server.add(): there is no option "partail"; did you mean partial? (allowed: partial)',
  ],
  [
    "server.add(Service, without chat)",
    () => new Server().add(Lab, js(withoutChat)),
    "TypeError: /volant.test.Lab/Chat was given no handler; it takes a function named chat, or leave it out with { partial: true }",
  ],
  [
    "server.add(Service, { unray }, partial)",
    () => new Server().add(Lab, js({ unray: () => ({}) }), { partial: true }),
    "TypeError: volant.test.Lab has no method unray; did you mean unary?; it has unary, download, upload, chat",
  ],
  [
    "server.add(Service, new Class(), partial) with Download for download",
    () => new Server().add(Lab, js(new Slip()), { partial: true }),
    "TypeError: volant.test.Lab has no method Download; did you mean download?; it has unary, download, upload, chat",
  ],
  [
    "server.add(Service, Class)",
    () => new Server().add(Lab, js(Statics)),
    "TypeError: /volant.test.Lab/Unary was given no handler: a class was given; give an instance of it, new Statics(); it takes a function named unary, or leave it out with { partial: true }",
  ],
  [
    "server.add(Service, { unary: 'x' })",
    () => new Server().add(Lab, js({ ...handlers, unary: "x" })),
    'TypeError: /volant.test.Lab/Unary was given the string "x" as handler; it takes a function named unary, or leave it out with { partial: true }',
  ],
  [
    "createClient(Service)",
    () => createClient(Lab, js(undefined)),
    'TypeError: createClient(): undefined given as channel; make one: createClient(Service, new Channel("host:port"))',
  ],
  [
    "createClient(Service, 'host:1')",
    () => createClient(Lab, js("host:1")),
    'TypeError: createClient(): the string "host:1" given as channel; make one: createClient(Service, new Channel("host:1"))',
  ],
  [
    "createClient(Service, { target })",
    () => createClient(Lab, js({ target: "host:1" })),
    'TypeError: createClient(): an object (Object) given as channel; make one: createClient(Service, new Channel("host:port"))',
  ],
  [
    "createClient(Message, channel)",
    () => createClient(js(NoteSchema), channel),
    `TypeError: createClient(): the message volant.test.Note given as service; ${A_SERVICE}`,
  ],
  [
    "createClient(Service, channel, { interceptor })",
    () => createClient(Lab, channel, js({ interceptor: [] })),
    'TypeError: createClient(): there is no option "interceptor"; did you mean interceptors? (allowed: interceptors)',
  ],
  [
    "fromGrpcJs(Service)",
    () => fromGrpcJs(js(Lab)),
    "TypeError: fromGrpcJs was given a service of volant or protobuf-es; use it as it is",
  ],
];

const OF_CALLS: readonly Row[] = [
  [
    "client.unary()",
    () => client.unary!(),
    "TypeError: unary was given undefined as request; it takes a message, {} for an empty one",
  ],
  [
    "client.download()",
    () => client.download!(),
    "TypeError: download was given undefined as request; it takes a message, {} for an empty one",
  ],
  [
    "client.upload({})",
    () => client.upload!({}),
    "TypeError: upload was given an object (Object); it takes an iterable of messages, or nothing to send them by hand",
  ],
  [
    "client.unary({}, 5000)",
    () => client.unary!({}, 5000),
    `${OF_UNARY} the number 5000 given; for a timeout give { timeoutMs: 5000 }; an object with options is allowed: { ${CALL_NAMES} }`,
  ],
  [
    "client.unary({}, null)",
    () => client.unary!({}, null),
    `${OF_UNARY} null given; an object with options is allowed: { ${CALL_NAMES} }`,
  ],
  [
    "client.unary({}, 'Bearer token')",
    () => client.unary!({}, "Bearer token"),
    `${OF_UNARY} a string given; an object with options is allowed: { ${CALL_NAMES} }`,
  ],
  [
    "client.unary({}, callback)",
    () => client.unary!({}, () => 1),
    `${OF_UNARY} a function given; there are no callbacks, the call returns its answer; an object with options is allowed: { ${CALL_NAMES} }`,
  ],
  [
    "client.unary({}, new Metadata())",
    () => client.unary!({}, new Metadata()),
    `${OF_UNARY} an object (Metadata) given; give { metadata }; an object with options is allowed: { ${CALL_NAMES} }`,
  ],
  [
    "client.unary({}, controller.signal)",
    () => client.unary!({}, new AbortController().signal),
    `${OF_UNARY} an object (AbortSignal) given; give { signal }; an object with options is allowed: { ${CALL_NAMES} }`,
  ],
  [
    "client.unary({}, { timeout: 5 })",
    () => client.unary!({}, { timeout: 5 }),
    `${OF_UNARY} there is no option "timeout"; did you mean timeoutMs? (allowed: ${CALL_NAMES})`,
  ],
  [
    "client.unary({}, { hasOwnProperty: 5 })",
    () => client.unary!({}, { hasOwnProperty: 5 }),
    `${OF_UNARY} there is no option "hasOwnProperty" (allowed: ${CALL_NAMES})`,
  ],
  [
    "client.unary({}, { waitForReady: 'yes' })",
    () => client.unary!({}, { waitForReady: "yes" }),
    `${OF_UNARY} waitForReady: the string "yes" given, true or false is allowed`,
  ],
  [
    "client.unary({}, { onHeaders: null })",
    () => client.unary!({}, { onHeaders: null }),
    `${OF_UNARY} onHeaders: null given; leave the option out for its default`,
  ],
  [
    "client.unary({}, { timeoutMs: NaN })",
    () => client.unary!({}, { timeoutMs: Number.NaN }),
    "RangeError: timeoutMs is NaN (number); it takes milliseconds from now, 0 or more; leave it out for none",
  ],
  [
    "client.unary({}, { metadata: 'x' })",
    () => client.unary!({}, { metadata: "x" }),
    "TypeError: metadata: a string given; it takes { key: value }, a Metadata, or a list of entries [key, value]",
  ],
  [
    "client.unary({}, { metadata: ['x-a', 'b'] })",
    () => client.unary!({}, { metadata: ["x-a", "b"] }),
    "TypeError: metadata: a string given as an entry; an entry of a list is [key, value]",
  ],
  [
    "client.unary({}, { parent: 5 })",
    () => client.unary!({}, { parent: 5 }),
    "TypeError: parent: the number 5 given; the call that a handler was given, or null, is allowed",
  ],
];

for (const [given, run, said] of [...OF_OPTIONS, ...OF_SERVICES, ...OF_CALLS]) {
  test(`a mistake is told what was given and what is allowed: ${given}`, async () => {
    const text = await told(run);
    if (said.endsWith("…")) assert.equal(text.slice(0, said.length - 1), said.slice(0, -1));
    else assert.equal(text, said);
  });
}

test("a call that returns a promise rejects; any other throws where it is made", async () => {
  await assert.rejects(client.unary!({}, { timeout: 5 }), TypeError);
  await assert.rejects(client.upload!([], { timeout: 5 }), TypeError);
  assert.throws(() => client.download!({}, { timeout: 5 }), TypeError);
  assert.throws(() => client.chat!(undefined, { timeout: 5 }), TypeError);
});

test("an option that is undefined is one that was left out, everywhere", async () => {
  const options = { timeoutMs: undefined, metadata: undefined, waitForReady: undefined, parent: undefined };
  await client.unary!({}, options);
  await client.unary!({}, undefined);
  await client.unary!({}, Object.create(null));
  new Server(js({ keepalive: undefined, http2: undefined, maxConnections: undefined, onError: undefined }));
  const quiet = new Channel("a:1", js({ tls: undefined, retry: undefined, http2: { maxFrameBytes: undefined } }));
  await quiet.close();
});

test("options may come from a module, from a class, and from an object without a prototype", () => {
  class Config {
    readonly maxConnections = 5;
  }
  new Server(new Config());
  new Server(Object.assign(Object.create(null), { maxConnections: 5 }));
});

async function told(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    assert.ok(error instanceof Error);
    return `${error.name}: ${error.message}`;
  }
  assert.fail("nothing was said");
}
