import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, it } from "node:test";
import { listenForStop } from "./stop-signal.ts";

describe("a signal to stop", () => {
  it("is heard once, whichever it is; the next one forces the exit", async () => {
    for (const [first, second] of [
      ["SIGTERM", "SIGINT"],
      ["SIGINT", "SIGINT"],
    ] as const) {
      const source = new EventEmitter();
      const forced: string[] = [];
      const stop = listenForStop(source, (name) => forced.push(name));
      assert.ok(!stop.isReceived);
      source.emit(first);
      assert.equal(await stop.received, first);
      assert.ok(stop.isReceived);
      assert.deepEqual(forced, []);
      source.emit(second);
      assert.deepEqual(forced, [second]);
    }
  });
});
