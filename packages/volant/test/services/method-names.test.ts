/**
 * RPCs called like what the language looks up on objects, or alike: each is reachable under a name of its own, or refused when its
 * service is added, and looking at a client makes no call.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { create, createFileRegistry, type DescService } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, file_google_protobuf_wrappers, type StringValue } from "@bufbuild/protobuf/wkt";
import { Channel, type Client, createClient, type Handlers, Server, type ServiceDefinition } from "volant";
import { fromGrpcJs } from "volant/grpc-js";
import type { TypedMethod } from "../../src/rpc/method.ts";
import { createTestChannel } from "../../src/testing/index.ts";

/** RPC and local name. */
const PAIRS: readonly (readonly [string, string])[] = [
  ["Then", "then$"],
  ["Catch", "catch"],
  ["Finally", "finally"],
  ["HasOwnProperty", "hasOwnProperty"],
  ["IsPrototypeOf", "isPrototypeOf"],
  ["ToLocaleString", "toLocaleString"],
  ["Constructor", "constructor$"],
  ["ToString", "toString$"],
  ["ValueOf", "valueOf$"],
  ["ToJSON", "toJSON$"],
  ["__proto__", "__proto__$"],
  ["__defineGetter__", "__defineGetter__"],
];

const VALUE = "google.protobuf.StringValue";

function serviceOf(...names: readonly string[]): DescService {
  const file = create(FileDescriptorProtoSchema, {
    name: "volant/odd.proto",
    package: "volant.odd",
    syntax: "proto3",
    dependency: [file_google_protobuf_wrappers.proto.name],
    service: [
      { name: "Odd", method: names.map((name) => ({ name, inputType: `.${VALUE}`, outputType: `.${VALUE}` })) },
    ],
  });
  const registry = createFileRegistry(file, () => file_google_protobuf_wrappers.proto);
  return registry.getService("volant.odd.Odd")!;
}

type AnyFunctions = Readonly<Record<string, (request: { readonly value: string }) => Promise<StringValue>>>;
type AnyHandlers = Readonly<Record<string, (request: StringValue) => { readonly value: string }>>;

/** A client over memory, and the paths of the calls that it made. */
function serve(service: DescService, handlers: AnyHandlers, partial = false) {
  const calls: string[] = [];
  const server = new Server({
    interceptors: [(method) => ({ onCall: () => void calls.push(method.name) })],
  });
  if (partial) server.add(service, handlers as Handlers<DescService>, { partial });
  else server.add(service, handlers as Handlers<DescService>);
  const channel = createTestChannel(server);
  const client = createClient(service, channel) as unknown as AnyFunctions;
  return { client, calls, close: () => Promise.all([channel.close(), server.close()]) };
}

const echoes: AnyHandlers = Object.fromEntries(PAIRS.map(([name, localName]) => [localName, echo(name)]));

function echo(name: string): (request: StringValue) => { readonly value: string } {
  return ({ value }) => ({ value: `${name} ${value}` });
}

test("methods of every such name are called and answered by the handler of that name", async (t) => {
  const { client, calls, close } = serve(serviceOf(...PAIRS.map(([name]) => name)), echoes);
  t.after(close);
  assert.deepEqual(
    Object.keys(client),
    PAIRS.map(([, localName]) => localName),
  );
  for (const [name, localName] of PAIRS) {
    assert.equal((await client[localName]!({ value: "x" })).value, `${name} x`);
  }
  assert.deepEqual(
    calls,
    PAIRS.map(([name]) => name),
  );
});

test("a client can be awaited, printed, compared and turned into text and JSON, and makes no call", async (t) => {
  const names = PAIRS.map(([name]) => name).filter((name) => !["HasOwnProperty", "ToLocaleString"].includes(name));
  const handlers = Object.fromEntries(names.map((name) => [new Map(PAIRS).get(name)!, echo(name)]));
  const { client, calls, close } = serve(serviceOf(...names), handlers);
  t.after(close);
  const returned = await (async () => client)();
  assert.equal(returned, client);
  assert.equal(await client, client);
  assert.equal(JSON.stringify(client), "{}");
  assert.match(inspect(client), /then\$/);
  assert.equal(`${client as object}`, "[object Object]");
  assert.equal(client[Symbol.iterator as never], undefined);
  assert.equal(client[Symbol.asyncIterator as never], undefined);
  assert.equal(client[Symbol.toPrimitive as never], undefined);
  assert.deepEqual({ ...client }, client);
  assert.deepEqual(calls, []);
});

test("what every object inherits is no handler", () => {
  const service = serviceOf("HasOwnProperty", "IsPrototypeOf");
  assert.throws(() => new Server().add(service, {} as Handlers<DescService>), {
    name: "TypeError",
    message: /HasOwnProperty was given no handler/,
  });
});

test("a handler of such a name that a class has or inherits is one", async (t) => {
  class Base {
    hasOwnProperty(): { value: string } {
      return { value: "inherited" };
    }
  }
  class Service extends Base {
    override isPrototypeOf(): { value: string } {
      return { value: "own" };
    }
  }
  const service = serviceOf("HasOwnProperty", "IsPrototypeOf");
  const { client, close } = serve(service, new Service() as unknown as AnyHandlers);
  t.after(close);
  for (const [name, expected] of [
    ["hasOwnProperty", "inherited"],
    ["isPrototypeOf", "own"],
  ] as const) {
    assert.equal((await (client as AnyFunctions)[name as string]!({ value: "" })).value, expected);
  }
});

test("a method left out of a partial service is UNIMPLEMENTED whatever its name", async (t) => {
  const { client, close } = serve(serviceOf("HasOwnProperty", "Then"), {}, true);
  t.after(close);
  for (const name of ["hasOwnProperty", "then$"]) {
    await assert.rejects(client[name]!({ value: "" }), { code: 12 });
  }
});

test("two methods that would have one name are refused when they are added, and a client of them is not made", () => {
  const service = serviceOf("GetUser", "Other", "getUser");
  const message = /^\/volant\.odd\.Odd\/GetUser and \/volant\.odd\.Odd\/getUser would both be called getUser/;
  const server = new Server();
  for (let attempt = 0; attempt < 2; attempt++) {
    assert.throws(() => server.add(service, { getUser: () => ({}), other: () => ({}) } as never), { message });
    assert.throws(() => createClient(service, new Channel("localhost:1")), { name: "TypeError", message });
  }
});

test("definitions of other generators have the same names", () => {
  const names = ["Then", "Constructor", "ToString", "ValueOf", "ToJSON", "HasOwnProperty"];
  const definition = Object.fromEntries(names.map((name) => [name, grpcJsMethod(`/a.B/${name}`)]));
  assert.deepEqual(Object.keys(createClient(fromGrpcJs(definition), new Channel("localhost:1"))), [
    "then$",
    "constructor$",
    "toString$",
    "valueOf$",
    "toJSON$",
    "hasOwnProperty",
  ]);
});

test("the types have the same names", () => {
  type Method = TypedMethod<"unary", string, string, string, string>;
  type Odd = ServiceDefinition<{ readonly then: Method; readonly catch: Method }>;
  const names: (keyof Client<Odd>)[] = ["then$", "catch"];
  const handlers: Handlers<Odd> = { then$: () => "", catch: () => "" };
  assert.deepEqual(Object.keys(handlers), names);
  const service = fromGrpcJs({ ToString: grpcJsMethod("/a.B/ToString"), Then: grpcJsMethod("/a.B/Then") });
  const client = createClient(service, new Channel("localhost:1"));
  assert.equal(typeof client.then$, "function");
  assert.equal(typeof client.toString$, "function");
});

function grpcJsMethod(path: string) {
  return {
    path,
    requestStream: false as const,
    responseStream: false as const,
    requestSerialize: (text: string) => Buffer.from(text),
    requestDeserialize: (bytes: Buffer) => bytes.toString(),
    responseSerialize: (text: string) => Buffer.from(text),
    responseDeserialize: (bytes: Buffer) => bytes.toString(),
  };
}
