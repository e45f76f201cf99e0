import assert from "node:assert/strict";
import { test } from "node:test";
import { tellEndLater } from "./request-ends.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A connection that was read further than it was handled. */
class Input {
  inputMark = 0;
  handledBytes = 0;

  isHandled(inputMark: number): boolean {
    return this.handledBytes >= inputMark;
  }
}

test("the end of requests is told two turns later, in order, and never in the same call", async () => {
  const told: string[] = [];
  const input = new Input();
  for (const name of ["a", "b"]) tellEndLater({ end: () => void told.push(name) }, input, 0);
  assert.deepEqual(told, []);
  await turn();
  assert.deepEqual(told, []);
  await turn();
  assert.deepEqual(told, ["a", "b"]);
});

test("while bytes of its connection wait for their turn an end is not told; those of other connections are", async () => {
  const told: string[] = [];
  const [busy, free] = [new Input(), new Input()];
  busy.inputMark = 100;
  tellEndLater({ end: () => void told.push("busy") }, busy, 0);
  tellEndLater({ end: () => void told.push("free") }, free, 0);
  for (let turns = 0; turns < 10; turns++) await turn();
  assert.deepEqual(told, ["free"]);
  busy.handledBytes = 100;
  for (let turns = 0; turns < 3; turns++) await turn();
  assert.deepEqual(told, ["free", "busy"]);
});

test("on a connection that is never without bytes that wait, an end is told when those are handled that were there with it", async () => {
  const told: string[] = [];
  const input = new Input();
  input.inputMark = 100;
  tellEndLater({ end: () => void told.push("end") }, input, 0);
  for (let turns = 0; turns < 10; turns++) {
    await turn();
    input.inputMark += 10;
    input.handledBytes += 10;
    assert.deepEqual(told, []);
  }
  input.handledBytes += 10;
  for (let turns = 0; turns < 20 && told.length === 0; turns++) {
    await turn();
    input.inputMark += 10;
    input.handledBytes += 10;
  }
  assert.deepEqual(told, ["end"]);
});
