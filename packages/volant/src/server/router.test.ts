import assert from "node:assert/strict";
import { test } from "node:test";
import { Lab } from "../../test/gen/lab_pb.ts";
import { Router } from "./router.ts";

const handlers = { unary: () => ({}), download: () => [], upload: () => ({}), chat: () => [] };

test("a method is found by the exact octets of its path, and by nothing else", () => {
  const router = new Router([]);
  router.add(Lab, handlers, false);
  assert.equal(router.get("/volant.test.Lab/Unary")!.definition.name, "Unary");
  for (const path of [
    ...[
      "",
      "/",
      "volant.test.Lab/Unary",
      "/volant.test.Lab/unary",
      "/volant.test.Lab/Unary/",
      "//volant.test.Lab/Unary",
    ],
    ...["/volant.test.Lab/Unary?x", "/volant.test.Lab/%55nary", "/volant.test.Lab//Unary", "/VOLANT.TEST.LAB/Unary"],
    ...["/volant.test.Lab/Unary ", "/volant.test.Lab/__proto__", "/volant.test.Lab/constructor", "__proto__"],
  ]) {
    assert.equal(router.get(path), undefined, path);
  }
});

test("a missing handler is an error that says which, unless the service is partial", () => {
  const { chat: _left, ...some } = handlers;
  assert.throws(
    () => new Router([]).add(Lab, some, false),
    /\/volant\.test\.Lab\/Chat was given no handler; it takes a function named chat/,
  );
  const router = new Router([]);
  router.add(Lab, some, true);
  assert.equal(router.get("/volant.test.Lab/Chat"), undefined);
  const leftOut = "/volant.test.Lab/Chat is a method of the service, and this server does not implement it";
  assert.equal(router.describeUnknown("/volant.test.Lab/Chat"), leftOut);
  assert.equal(router.describeUnknown("/volant.test.Lab/chat"), "unknown method /volant.test.Lab/chat");
  assert.equal(router.describeUnknown("/volant.test.Other/Chat"), "unknown service volant.test.Other");
});

test("a misspelt handler, one that is no function and a service added twice are errors, and change nothing", () => {
  const router = new Router([]);
  assert.throws(() => router.add(Lab, { ...handlers, unray: () => ({}) }, true), /has no method unray; it has unary,/);
  assert.throws(() => router.add(Lab, { ...handlers, unary: "x" }, true), /was given the string "x" as handler/);
  assert.equal(router.get("/volant.test.Lab/Unary"), undefined);
  assert.deepEqual(router.registeredServices(), []);
  router.add(Lab, handlers, false);
  assert.throws(() => router.add(Lab, handlers, false), /volant\.test\.Lab is registered already/);
  assert.deepEqual(router.registeredServices(), [Lab]);
});

test("handlers may be methods of an object, and keep it", () => {
  class Service {
    readonly #answer = { text: "private" };
    unary(): object {
      return this.#answer;
    }
  }
  const router = new Router([]);
  router.add(Lab, new Service() as unknown as Record<string, unknown>, true);
  assert.deepEqual(router.get("/volant.test.Lab/Unary")!.handler({}, undefined as never), { text: "private" });
});

test("the codec of responses is the definition's own unless they are checked", () => {
  const path = "/volant.test.Lab/Unary";
  const [off, on] = [false, true].map((checkResponses) => {
    const router = new Router([], undefined, checkResponses);
    router.add(Lab, handlers, false);
    return router.get(path)!;
  });
  assert.equal(off!.responseCodec, off!.definition.responseCodec);
  assert.notEqual(on!.responseCodec, on!.definition.responseCodec);
});
