/** Whatever peer, caller and clock do, and in whatever order: every call ends once and nothing of it stays behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  Channel,
  type ClientCallEnd,
  type ClientInterceptor,
  createClient,
  type RetryOptions,
  type RpcError,
  StatusCode,
} from "volant";
import { frames } from "../../src/testing/frame-factory.ts";
import { EchoService, messageBytes, UNENCODABLE } from "./support/echo-service.ts";
import { allOf, armedTimers, listenerCount } from "./support/harness.ts";
import { type PeerConnection, ScriptedPeer } from "./support/scripted-peer.ts";

const STREAMS = [1, 3, 5, 7] as const;
const CODES = [0, 1, 2, 7, 8, 11, 0xbad] as const;

type Step =
  | { do: "headers" | "half message" | "message" | "trailers" | "trailers only" | "end with data"; stream: number }
  | { do: "reset"; stream: number; code: number }
  | { do: "goaway"; stream: number; code: number }
  | { do: "limit"; code: number }
  | { do: "turn" | "destroy" | "end" | "answer" }
  | { do: "cancel" | "leave" | "send" | "send bad" | "half-close"; stream: number };

const stream = fc.constantFrom(...STREAMS);
const code = fc.constantFrom(...CODES);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom("headers", "half message", "message", "trailers", "trailers only", "end with data"),
    stream,
  }),
  fc.record({ do: fc.constant("reset"), stream, code }),
  fc.record({ do: fc.constant("goaway"), stream, code }),
  fc.record({ do: fc.constant("limit"), code: fc.nat(3) }),
  fc.record({ do: fc.constant("turn") }),
  fc.record({ do: fc.constant("turn") }),
  fc.record({ do: fc.constantFrom("destroy", "end", "answer") }),
  fc.record({ do: fc.constantFrom("cancel", "leave", "send", "send bad", "half-close"), stream }),
) as fc.Arbitrary<Step>;

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The four kinds, one call each, begun together. */
class Calls {
  readonly ends: ClientCallEnd[] = [];
  readonly controllers = STREAMS.map(() => new AbortController());
  readonly outcomes: Promise<PromiseSettledResult<unknown>[]>;
  private readonly streams: { send(message: { value: string }): Promise<void>; end(): void }[];
  private readonly iterators: AsyncIterator<unknown>[];

  /** In the order of their stream ids. */
  constructor(channel: Channel) {
    const observer: ClientInterceptor = () => ({ onCall: (call) => call.onEnd((end) => this.ends.push(end)) });
    const client = createClient(EchoService, channel, { interceptors: [observer] });
    const options = this.controllers.map(({ signal }) => ({ signal, timeoutMs: 60_000 }));
    const unary = client.unary({ value: "a" }, options[0]);
    const upload = client.upload(undefined, options[1]);
    const chat = client.chat(undefined, options[2]);
    const download = client.download({ value: "1" }, options[3]);
    this.streams = [upload, chat];
    this.iterators = [chat[Symbol.asyncIterator](), download[Symbol.asyncIterator]()];
    this.outcomes = Promise.allSettled([unary, (async () => await upload)(), allOf(chat), allOf(download)]);
  }

  act(step: Step & { stream: number }): void {
    const at = STREAMS.indexOf(step.stream as 1);
    const writer = this.streams[at % 2]!;
    if (step.do === "cancel") this.controllers[at]!.abort();
    else if (step.do === "leave") void this.iterators[at % 2]!.return?.();
    else if (step.do === "half-close") writer.end();
    else writer.send(step.do === "send" ? { value: "x" } : UNENCODABLE).catch(() => undefined);
  }
}

/** What the peer writes for a step; nothing for those that are no frames. */
function framesOf(peer: PeerConnection, step: Step): { bytes(): Buffer }[] {
  switch (step.do) {
    case "headers":
      return [peer.headers(step.stream)];
    case "half message":
      return [frames.data(step.stream, messageBytes("pong").subarray(0, 6))];
    case "message":
      return [frames.data(step.stream, messageBytes("pong"))];
    case "trailers":
      return [peer.trailers(step.stream)];
    case "trailers only":
      return [peer.headers(step.stream, [["grpc-status", "5"]]).endStream()];
    case "end with data":
      return [frames.data(step.stream, messageBytes("pong")).endStream()];
    case "reset":
      return [frames.rstStream(step.stream, step.code)];
    case "goaway":
      return [frames.goAway(step.stream, step.code)];
    case "limit":
      return [frames.settings([3, step.code])];
    case "answer":
      return STREAMS.flatMap((id) => [peer.headers(id), frames.data(id, messageBytes("pong")), peer.trailers(id)]);
    default:
      return [];
  }
}

function play(peer: PeerConnection, step: Step): void {
  if (peer.socket.destroyed) return;
  if (step.do === "end") peer.socket.end();
  else if (step.do === "destroy") peer.destroy();
  else peer.write(...framesOf(peer, step));
}

const CALLER_STEPS: ReadonlySet<string> = new Set(["cancel", "leave", "send", "send bad", "half-close"]);

async function run(steps: readonly Step[], retry?: RetryOptions): Promise<void> {
  const timers = armedTimers();
  const server = await ScriptedPeer.listen();
  const errors: unknown[] = [];
  const channel = new Channel(server.target, {
    onError: (error) => errors.push(error),
    backoff: { initialMs: 1, maxMs: 1 },
    ...(retry === undefined ? {} : { retry }),
  });
  const calls = new Calls(channel);
  let peer = await server.accept();
  const shake = (connection: PeerConnection) => connection.write(frames.settings(), frames.settingsAck());
  shake(peer);
  for (const step of steps) {
    if (step.do === "turn") await turn();
    else if (CALLER_STEPS.has(step.do)) calls.act(step as Step & { stream: number });
    else play(peer, step);
    const next = server.takeArrived();
    if (next === undefined) continue;
    peer = next;
    shake(peer);
  }
  await turn();
  await channel.close();
  for (const outcome of await calls.outcomes) {
    if (outcome.status === "rejected") assert.equal((outcome.reason as RpcError).name, "RpcError");
  }
  assert.equal(calls.ends.length, STREAMS.length, "each call ends once for its interceptors");
  for (const { signal } of calls.controllers) assert.equal(listenerCount(signal), 0);
  assert.equal(channel.pendingCount, 0);
  assert.deepEqual(errors, []);
  const { connections } = (channel as unknown as { subchannel: { connections: Set<unknown> } }).subchannel;
  assert.equal(connections.size, 0);
  assert.equal(channel.options.replay.budget.usedBytes, 0, "octets of requests are kept");
  await server.close();
  assert.ok(armedTimers() <= timers, "a timer is still armed");
}

test("every interleaving settles every call once and leaves nothing behind", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 24 }), (steps) => run(steps)),
    { numRuns: 150 },
  );
});

test("every interleaving settles every call once, also where attempts are made again", async () => {
  const retry: RetryOptions = {
    methods: "all",
    codes: [StatusCode.UNAVAILABLE, StatusCode.CANCELLED, StatusCode.INTERNAL, StatusCode.NOT_FOUND],
    backoff: { initialMs: 1, maxMs: 1 },
    throttling: false,
  };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 24 }), (steps) => run(steps, retry)),
    { numRuns: 100 },
  );
});

test("a connection counts its calls down to none, whatever ended them", async () => {
  const ending: Step[] = [
    { do: "trailers only", stream: 1 },
    { do: "reset", stream: 3, code: 8 },
    { do: "cancel", stream: 5 },
    { do: "trailers only", stream: 7 },
  ];
  const server = await ScriptedPeer.listen();
  const channel = new Channel(server.target);
  const calls = new Calls(channel);
  const peer = await server.accept();
  await peer.handshake();
  await peer.sees(/^HEADERS 7/);
  for (const step of ending) {
    if (CALLER_STEPS.has(step.do)) calls.act(step as Step & { stream: number });
    else play(peer, step);
  }
  await calls.outcomes;
  const { connections } = (channel as unknown as { subchannel: { connections: Set<{ activeStreams: number }> } })
    .subchannel;
  assert.deepEqual(
    [...connections].map(({ activeStreams }) => activeStreams),
    [0],
  );
  await channel.close();
  await server.close();
});
