import assert from "node:assert/strict";
import { test } from "node:test";
import { fromGrpcJs } from "./from-grpc-js.ts";

const text = {
  requestSerialize: (value: string) => Buffer.from(value),
  requestDeserialize: (bytes: Buffer) => bytes.toString(),
  responseSerialize: (value: string) => Buffer.from(value),
  responseDeserialize: (bytes: Buffer) => bytes.toString(),
};

function method(path: string, requestStream = false, responseStream = false) {
  return { path, requestStream, responseStream, ...text };
}

/** For what TypeScript would not let pass. */
function fromJavaScript(given: unknown): unknown {
  return fromGrpcJs(given as Record<string, ReturnType<typeof method>>);
}

test("a definition becomes a service, once", () => {
  const definition = {
    GetUser: method("/user.UserService/GetUser"),
    StreamUsers: method("/user.UserService/StreamUsers", false, true),
    createUserStream: method("/user.UserService/CreateUserStream", true),
    user_chat: method("/user.UserService/user_chat", true, true),
  };
  const service = fromGrpcJs(definition);
  assert.equal(service.typeName, "user.UserService");
  assert.deepEqual(
    service.methods.map(({ localName, name, path, kind }) => [localName, name, path, kind]),
    [
      ["getUser", "GetUser", "/user.UserService/GetUser", "unary"],
      ["streamUsers", "StreamUsers", "/user.UserService/StreamUsers", "server_streaming"],
      ["createUserStream", "CreateUserStream", "/user.UserService/CreateUserStream", "client_streaming"],
      ["userChat", "user_chat", "/user.UserService/user_chat", "bidi_streaming"],
    ],
  );
  assert.equal(service.method.userChat.localName, "userChat");
  assert.equal(fromGrpcJs(definition), service);
});

test("local names in the types and at run time are the same", () => {
  const unary = method("/a.B/C");
  const { method: named } = fromGrpcJs({
    GetURL: unary,
    a_b__c_: { ...unary, path: "/a.B/D" },
    _x: { ...unary, path: "/a.B/E" },
  });
  assert.deepEqual(
    [named.getURL, named.aBC, named.X].map(({ localName }) => localName),
    ["getURL", "aBC", "X"],
  );
});

test("idempotency is what the definition says, where it does", () => {
  const level = (options: unknown): unknown =>
    fromGrpcJs({ a: { ...method("/s/a"), options } }).methods[0]?.idempotency;
  assert.equal(level({ idempotency_level: "NO_SIDE_EFFECTS" }), "NO_SIDE_EFFECTS");
  assert.equal(level({ idempotency_level: "IDEMPOTENT" }), "IDEMPOTENT");
  assert.equal(level({ idempotency_level: "IDEMPOTENCY_UNKNOWN" }), "UNKNOWN");
  assert.equal(level(undefined), "UNKNOWN");
});

test("what is no definition is refused, with what was given and what is one", () => {
  const client = Object.assign(() => undefined, { service: {} });
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /was given undefined; a service definition is an object of methods/],
    [null, /was given null/],
    ["user.UserService", /was given a string/],
    [[method("/s/a")], /was given an array/],
    [() => undefined, /was given a function/],
    [client, /was given a client constructor, whose definition is its property `service`/],
    [{}, /the definition has no method/],
    [{ GetUser: "/s/a" }, /GetUser of the definition is a string/],
    [{ "user.UserService": { GetUser: method("/s/a") } }, /user\.UserService of the definition has undefined as path/],
    [{ a: { ...method("/s/a"), requestStream: undefined } }, /a of the definition has undefined as requestStream/],
    [{ a: { ...method("/s/a"), responseSerialize: 1 } }, /has a number as responseSerialize.*responseDeserialize$/],
    [{ a: method("s/a") }, /a has the path "s\/a"; a path is "\/package\.Service\/Method"/],
    [{ a: method("/s/a/b") }, /has the path "\/s\/a\/b"/],
    [{ a: method("/s/a"), b: method("/t/b") }, /of several services: s, t/],
    [{ GetUser: method("/s/GetUser"), getUser: method("/s/getUser") }, /getUser and \/s\/GetUser would both be called/],
  ];
  for (const [given, message] of refused) {
    assert.throws(() => fromJavaScript(given), { name: "TypeError", message });
  }
});

test("the types refuse what is no definition", () => {
  const { responseSerialize: _, ...incomplete } = method("/s/a");
  // @ts-expect-error: a function is missing
  assert.throws(() => fromGrpcJs({ a: incomplete }), TypeError);
  // @ts-expect-error: a service without its methods
  assert.throws(() => fromGrpcJs({ path: "/s/a" }), TypeError);
});
