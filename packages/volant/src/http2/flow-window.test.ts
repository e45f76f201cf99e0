import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_WINDOW_BYTES, ReceiveWindow, SendWindow } from "./flow-window.ts";

test("§6.9.1 a send window refuses what would lift it beyond 2^31-1, and changes nothing then", () => {
  const window = new SendWindow(10);
  assert.equal(window.adjust(MAX_WINDOW_BYTES - 10), true);
  assert.equal(window.adjust(1), false);
  assert.equal(window.available, MAX_WINDOW_BYTES);
  window.consume(5);
  assert.equal(window.adjust(-MAX_WINDOW_BYTES), true);
  assert.equal(window.available, -5);
});

test("§6.9.1 a receive window takes up to what is open, and an empty frame always", () => {
  const window = new ReceiveWindow(10);
  assert.equal(window.receive(11), false);
  assert.equal(window.receive(10), true);
  assert.equal(window.receive(0), true);
  assert.equal(window.receive(1), false);
  assert.deepEqual([window.open, window.held], [0, 10]);
});

test("what is consumed is announced in thirds of the target", () => {
  const window = new ReceiveWindow(100);
  window.receive(100);
  assert.deepEqual([window.consume(33), window.consume(1), window.consume(33), window.consume(33)], [0, 34, 0, 66]);
  assert.equal(window.open, 100);
});

test("a grant is announced where it is needed, settled where it is used, and paid back where it is not", () => {
  const window = new ReceiveWindow(100);
  assert.equal(window.missing(250), 150);
  window.grant(150);
  assert.equal(window.announce(250), 150);
  window.receive(200);
  assert.equal(window.settleGrant(120), 120);
  assert.equal(window.consume(80), 80);
  assert.deepEqual([window.open, window.held], [130, 0]);
  window.abandonGrant(30);
  window.grant(30);
  assert.equal(window.announce(130), 0, "the new grant uses what the old one left open");
  window.abandonGrant(30);
  window.receive(60);
  assert.deepEqual([window.consume(60), window.open], [0, 70]);
  assert.equal(window.announce(71), 30, "the window is back at its target");
});

test("§6.9.1 no announcement lifts a window beyond 2^31-1; the rest follows later", () => {
  const window = new ReceiveWindow(MAX_WINDOW_BYTES);
  window.grant(10);
  assert.equal(window.announce(MAX_WINDOW_BYTES + 1), 0);
  window.receive(4);
  assert.equal(window.announce(MAX_WINDOW_BYTES), 4);
});

test("§6.9.2 a smaller target leaves the window negative until enough was returned", () => {
  const window = new ReceiveWindow(1_000);
  window.receive(400);
  window.consume(300);
  assert.equal(window.resize(500), 300, "too little for the old size, much of the new one");
  assert.deepEqual([window.open, window.consume(100), window.consume(0)], [400, 0, 0]);
  window.receive(400);
  window.consume(400);
  window.receive(500);
  assert.equal(window.resize(100), 0);
  assert.deepEqual([window.open, window.receive(0), window.receive(1)], [-400, true, false]);
  assert.equal(window.consume(500), 500);
  assert.equal(window.open, 100);
});

test("a window that grows announces all of it, less what grants left open; what waits for the reader excludes them", () => {
  const window = new ReceiveWindow(100);
  window.grant(30);
  assert.equal(window.announce(130), 30);
  window.abandonGrant(20);
  window.receive(60);
  assert.deepEqual([window.size, window.waiting], [100, 50]);
  assert.equal(window.grow(200), 80);
  assert.deepEqual([window.size, window.open, window.held], [200, 150, 60]);
  window.settleGrant(10);
  assert.equal(window.consume(50), 0);
  assert.equal(window.consume(0) + window.grow(201), 51, "with it goes what was returned meanwhile");
  assert.equal(window.open, 201);
});

test("§6.9.1 growth lifts no window beyond 2^31-1", () => {
  const window = new ReceiveWindow(1_000);
  window.grant(MAX_WINDOW_BYTES);
  window.announce(MAX_WINDOW_BYTES);
  assert.equal(window.grow(MAX_WINDOW_BYTES), 0);
  window.receive(5);
  assert.equal(window.announce(MAX_WINDOW_BYTES), 5);
});

test("open + held + returned = target + granted + excess, whatever happens", () => {
  const state = (window: ReceiveWindow) =>
    window as unknown as Record<"open" | "held" | "returned" | "target" | "granted" | "excess", number>;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.array(fc.tuple(fc.nat(7), fc.nat(700)), { maxLength: 60 }),
      (target, steps) => {
        const window = new ReceiveWindow(target);
        for (const [kind, bytes] of steps) {
          const before = state(window);
          if (kind === 0) window.receive(Math.min(bytes, Math.max(0, window.open)));
          else if (kind === 1) window.consume(Math.min(bytes, window.held));
          else if (kind === 2) window.grant(bytes);
          else if (kind === 3) window.settleGrant(Math.min(bytes, window.held));
          else if (kind === 4) window.abandonGrant(Math.min(bytes, before.granted));
          else if (kind === 5) window.announce(bytes);
          else if (kind === 6) window.grow(window.size + bytes);
          else window.resize(bytes + 1);
          const { open, held, returned, target: size, granted, excess } = state(window);
          assert.equal(open + held + returned, size + granted + excess);
          assert.ok(held >= 0 && returned >= 0 && granted >= 0 && excess >= 0);
        }
      },
    ),
  );
});
