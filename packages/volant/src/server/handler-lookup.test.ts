import assert from "node:assert/strict";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";
import type { MethodDefinition } from "../rpc/method.ts";
import { checkNames, type GivenHandlers, handlerOf } from "./handler-lookup.ts";

function method(localName: string): MethodDefinition {
  return { localName, path: `/s.S/${localName}` } as MethodDefinition;
}

const getUser = method("getUser");
const listUsers = method("listUsers");

test("what every object has is no handler, what an object has of its own is", () => {
  for (const name of ["hasOwnProperty", "toString", "isPrototypeOf", "valueOf"]) {
    const foreign = runInContext("({})", createContext()) as GivenHandlers;
    class Service {}
    for (const handlers of [{}, Object.create(null), Object.create({}), new Service(), foreign]) {
      assert.equal(handlerOf(method(name), handlers as GivenHandlers), undefined, name);
    }
    const own = (): string => "own";
    for (const handlers of [{ [name]: own }, Object.create({ [name]: own })]) {
      assert.equal(handlerOf(method(name), handlers as GivenHandlers), own, name);
    }
  }
});

test("a handler behind a proxy is found", () => {
  const handlers = new Proxy({}, { get: () => () => "answer" });
  assert.equal(handlerOf(getUser, handlers)?.(), "answer");
});

test("a plain object takes no other function; an instance of a class does", () => {
  class Users {
    readonly log = (): void => undefined;
    getUser(): void {}
    setUser(): void {}
    findAll(): void {}
    deleteEverythingAndMore(): void {}
  }
  checkNames("s.S", [getUser, listUsers], new Users() as unknown as GivenHandlers);
  assert.throws(
    () => checkNames("s.S", [getUser], { getUser() {}, log() {} }),
    /s\.S has no method log; it has getUser/,
  );
  const behindGetters = Object.defineProperties({}, { log: { get: () => () => 1, enumerable: true } }) as GivenHandlers;
  assert.throws(() => checkNames("s.S", [getUser], behindGetters), /s\.S has no method log/);
  const foreign = runInContext("({ getUser() {}, log() {} })", createContext()) as GivenHandlers;
  assert.throws(() => checkNames("s.S", [getUser], foreign), /s\.S has no method log/);
});

test("a method of a class that looks like a missing handler is told, and one that differs in more than a slip is not", () => {
  const slips = ["getUsr", "getUesr", "getUserr", "GetUser", "get_user", "getuser", "gatUser"];
  for (const name of slips) {
    const handlers = Object.create({ __proto__: { [name]() {} }, other() {} }) as GivenHandlers;
    assert.throws(
      () => checkNames("s.S", [getUser], handlers),
      new RegExp(`no method ${name}; did you mean getUser\\?`),
    );
  }
  for (const name of ["setUser", "getUsersPage", "user", "get", "fetchUser"]) {
    checkNames("s.S", [getUser], Object.create({ [name]() {} }) as GivenHandlers);
  }
  const both = Object.create({ getUser() {}, getUsr() {} }) as GivenHandlers;
  checkNames("s.S", [getUser], both);
});
