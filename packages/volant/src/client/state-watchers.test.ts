import assert from "node:assert/strict";
import { test } from "node:test";
import { StateWatchers } from "./state-watchers.ts";

function thrower(error: unknown): never {
  throw error;
}

test("everybody hears of a change before anybody hears of the next", () => {
  const watchers = new StateWatchers(thrower);
  const log: string[] = [];
  watchers.add((state) => {
    log.push(`a ${state}`);
    if (state === "IDLE") watchers.tell("CONNECTING");
  });
  watchers.add((state) => log.push(`b ${state}`));
  watchers.tell("IDLE");
  assert.deepEqual(log, ["a IDLE", "b IDLE", "a CONNECTING", "b CONNECTING"]);
});

test("a listener added twice is two watchers; one that stops itself hears no more", () => {
  const watchers = new StateWatchers(thrower);
  let heard = 0;
  const listener = () => heard++;
  const stop = watchers.add(listener);
  watchers.add(listener);
  const once = watchers.add(() => once());
  watchers.tell("READY");
  stop();
  watchers.tell("IDLE");
  assert.equal(heard, 3);
});

test("one that throws is reported, and the others hear the change", () => {
  const errors: unknown[] = [];
  const watchers = new StateWatchers((error) => errors.push(error));
  let heard = 0;
  watchers.add(() => thrower("broken"));
  watchers.add(() => heard++);
  watchers.tell("READY");
  watchers.tell("IDLE");
  assert.deepEqual([errors, heard], [["broken", "broken"], 2]);
});
