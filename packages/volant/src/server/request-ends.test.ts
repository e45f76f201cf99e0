import assert from "node:assert/strict";
import { test } from "node:test";
import { tellEndLater } from "./request-ends.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("the end of requests is told two turns later, in order, and never in the same call", async () => {
  const told: string[] = [];
  const input = { hasWaitingInput: false };
  for (const name of ["a", "b"]) tellEndLater({ end: () => void told.push(name) }, input, 0);
  assert.deepEqual(told, []);
  await turn();
  assert.deepEqual(told, []);
  await turn();
  assert.deepEqual(told, ["a", "b"]);
});

test("while bytes of its connection wait for their turn an end is not told; those of other connections are", async () => {
  const told: string[] = [];
  const [busy, free] = [{ hasWaitingInput: true }, { hasWaitingInput: false }];
  tellEndLater({ end: () => void told.push("busy") }, busy, 0);
  tellEndLater({ end: () => void told.push("free") }, free, 0);
  for (let turns = 0; turns < 10; turns++) await turn();
  assert.deepEqual(told, ["free"]);
  busy.hasWaitingInput = false;
  for (let turns = 0; turns < 3; turns++) await turn();
  assert.deepEqual(told, ["free", "busy"]);
});
