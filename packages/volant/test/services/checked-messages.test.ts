/**
 * In development a handler's response, and a client's request, that encoding would drop or misread ends the call; in production it is
 * encoded as it was.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { DescService } from "@bufbuild/protobuf";
import {
  Channel,
  type ClientInterceptor,
  createClient,
  type Handlers,
  Server,
  type ServerInterceptor,
  type ServerOptions,
  StatusCode,
} from "volant";
import { bindMethod } from "../../src/client/bound-method.ts";
import { methodsOf } from "../../src/rpc/method.ts";
import { createTestChannel, type TestChannelOptions } from "../../src/testing/index.ts";
import { collect, failureOf } from "../server/support/lab-service.ts";
import { Shop } from "./checked-schema.ts";

type Message = Record<string, unknown>;
interface ShopClient {
  get(request: Message): Promise<Message>;
  list(request: Message): AsyncIterable<Message>;
  put(requests: readonly Message[]): Promise<Message>;
  chat(requests: readonly Message[]): AsyncIterable<Message>;
}

const DATED: Message = { owner: { createdAt: new Date(5) } };
const PATH = /cannot encode shop\.User\.owner\.createdAt: .*timestampFromDate\(date\)/;

/** A client, and what `onError` of the server was given. */
function serve(t: TestContext, handlers: object, server: ServerOptions = {}, channel: TestChannelOptions = {}) {
  const errors: unknown[] = [];
  const shop = new Server({ checkResponses: true, onError: (error) => errors.push(error), ...server });
  shop.add(Shop, handlers as Handlers<DescService>, { partial: true });
  const connected = createTestChannel(shop, { checkRequests: true, ...channel });
  t.after(() => Promise.all([connected.close(), shop.close()]));
  return { client: createClient(Shop, connected) as unknown as ShopClient, errors };
}

async function assertInternal(outcome: Promise<unknown>, errors: readonly unknown[]): Promise<void> {
  assert.equal((await failureOf(outcome, StatusCode.INTERNAL)).message, "internal error");
  assert.equal(errors.length, 1);
  assert.match((errors[0] as Error).message, PATH);
}

test("a unary response with a Date for a Timestamp is INTERNAL, and onError is told the path", async (t) => {
  const { client, errors } = serve(t, { get: () => DATED });
  await assertInternal(client.get({}), errors);
});

test("the response of an upload is checked", async (t) => {
  const { client, errors } = serve(t, { put: async () => DATED });
  await assertInternal(client.put([{}]), errors);
});

for (const kind of ["list", "chat"] as const) {
  test(`every message of a ${kind} is checked: those before arrive`, async (t) => {
    const { client, errors } = serve(t, {
      async *[kind]() {
        yield { displayName: "one" };
        yield { displayName: "two" };
        yield DATED;
      },
    });
    const seen: unknown[] = [];
    const outcome = (async () => {
      for await (const { displayName } of kind === "list" ? client.list({}) : client.chat([{}])) seen.push(displayName);
    })();
    await assertInternal(outcome, errors);
    assert.deepEqual(seen, ["one", "two"]);
  });
}

test("what is checked is what interceptors made of it", async (t) => {
  const spoils: ServerInterceptor = () => ({
    onResponse: (message) => Object.assign(message as Message, DATED),
  });
  const spoilt = serve(t, { get: () => ({}) }, { interceptors: [spoils] });
  await assertInternal(spoilt.client.get({}), spoilt.errors);
  const mends: ServerInterceptor = () => ({
    onResponse: (message) => {
      delete (message as Message).display_name;
    },
  });
  const mended = serve(t, { get: () => ({ display_name: "x", displayName: "y" }) }, { interceptors: [mends] });
  assert.equal((await mended.client.get({})).displayName, "y");
  assert.deepEqual(mended.errors, []);
});

test("a large response, a compressed one and one without a fault are as they were", async (t) => {
  const displayName = "x".repeat(300_000);
  const { client, errors } = serve(t, { get: () => ({ displayName }) }, { compression: { send: "gzip" } });
  assert.equal((await client.get({})).displayName, displayName);
  assert.deepEqual(errors, []);
});

test("a request with an unknown field rejects the call and says the path; the server sees nothing", async (t) => {
  let handled = 0;
  const { client } = serve(t, {
    get: () => {
      handled++;
      return {};
    },
  });
  const failure = await failureOf(client.get({ owner: { diplayName: "x" } }), StatusCode.INTERNAL);
  assert.match(
    failure.message,
    /the request cannot be sent: cannot encode shop\.User\.owner\.diplayName: .*displayName\?/,
  );
  assert.equal(handled, 0);
});

test("every message of a request stream is checked, also where the call may be tried again", async (t) => {
  for (const retry of [undefined, {}]) {
    const handlers = {
      async put(requests: AsyncIterable<Message>) {
        for await (const _ of requests);
        return {};
      },
      async *chat(requests: AsyncIterable<Message>) {
        for await (const request of requests) yield request;
      },
    };
    const { client } = serve(t, handlers, {}, retry === undefined ? {} : { retry });
    assert.match((await failureOf(client.put([{}, DATED]), StatusCode.INTERNAL)).message, PATH);
    assert.match((await failureOf(collect(client.chat([{}, DATED])), StatusCode.INTERNAL)).message, PATH);
    assert.deepEqual((await client.put([{ displayName: "x" }])).displayName, "");
  }
});

test("client interceptors: what is checked is what they made of the request", async (t) => {
  const spoils: ClientInterceptor = () => ({
    onRequest: (message) => {
      Object.assign(message as Message, { quux: 1 });
    },
  });
  const { client } = serve(t, { get: () => ({}) }, {}, { interceptors: [spoils] });
  assert.match((await failureOf(client.get({}), StatusCode.INTERNAL)).message, /shop\.User\.quux/);
});

test("switched off, both sides encode as they did: the Date is 1970, the unknown field is not there", async (t) => {
  const { client, errors } = serve(t, { get: () => DATED }, { checkResponses: false }, { checkRequests: false });
  const { owner } = (await client.get({ quux: 1 })) as { owner: { createdAt: { seconds: bigint } } };
  assert.equal(owner.createdAt.seconds, 0n);
  assert.deepEqual(errors, []);
});

test("the default is on, and off where NODE_ENV is production when the server or channel is made", async (t) => {
  const { NODE_ENV } = process.env;
  t.after(() => {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  });
  const outcomes: unknown[] = [];
  for (const environment of [undefined, "test", "development", "production"]) {
    if (environment === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = environment;
    const shop = new Server({ onError: () => undefined }).add(Shop, { get: () => DATED } as never, { partial: true });
    const channel = createTestChannel(shop);
    t.after(() => Promise.all([channel.close(), shop.close()]));
    const client = createClient(Shop, channel) as unknown as ShopClient;
    const [answer, request] = await Promise.allSettled([client.get({}), client.get({ quux: 1 })]);
    outcomes.push([answer.status, request.status]);
  }
  const [on, off] = [
    ["rejected", "rejected"],
    ["fulfilled", "fulfilled"],
  ];
  assert.deepEqual(outcomes, [on, on, on, off]);
});

test("anything but true or false is refused when the server or channel is made", () => {
  assert.throws(() => new Server({ checkResponses: "yes" as never }), {
    name: "TypeError",
    message: 'new Server(): checkResponses: the string "yes" given, true or false is allowed',
  });
  assert.throws(() => new Channel("localhost:1", { checkRequests: 1 as never }), {
    name: "TypeError",
    message: "new Channel(): checkRequests: the number 1 given, true or false is allowed",
  });
});

test("the codec of requests is the definition's own unless they are checked", () => {
  const [definition] = methodsOf(Shop);
  const [off, on] = [false, true].map((checkRequests) =>
    bindMethod(new Channel("localhost:1", { checkRequests }), definition!, []),
  );
  assert.equal(off!.requestCodec, definition!.requestCodec);
  assert.notEqual(on!.requestCodec, definition!.requestCodec);
});
