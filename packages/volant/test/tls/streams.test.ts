/** Calls over TLS under load: large messages, backpressure both ways, drain. What is written goes back to the pool late. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusCode } from "volant";
import { eventually } from "../../src/testing/index.ts";
import { allOf, failure } from "../client/support/harness.ts";
import { localhost, TlsLab } from "./support/tls-lab.ts";

test("messages larger than every buffer arrive whole, both ways and at once", async (t) => {
  const lab = await TlsLab.open(t);
  const { client } = lab.channel();
  const sizes = [3_000_000, 1, 200_000, 16_384, 1_000_000, 65_535, 0];
  const answers = await Promise.all(
    sizes.map((size, at) => client.unary({ value: String.fromCharCode(97 + at).repeat(size) })),
  );
  for (const [at, { value }] of answers.entries()) {
    assert.equal(value, String.fromCharCode(97 + at).repeat(sizes[at]!), `message ${at}`);
  }
});

test("hundreds of calls at once keep their messages apart", async (t) => {
  const lab = await TlsLab.open(t);
  const { client } = lab.channel();
  for (let round = 0; round < 5; round++) {
    const values = Array.from({ length: 300 }, (_, at) => `${round}/${at}/${"x".repeat(at * 7)}`);
    const answers = await Promise.all(values.map((value) => client.unary({ value })));
    assert.deepEqual(
      answers.map(({ value }) => value),
      values,
    );
  }
});

test("a reader that stops makes the server's handler wait, and gets everything when it goes on", async (t) => {
  let yielded = 0;
  const chunk = "y".repeat(10_000);
  const lab = await TlsLab.open(t, localhost, {
    async *download() {
      for (; yielded < 2_000; yielded++) yield { value: chunk };
    },
  });
  const { client } = lab.channel();
  const download = client.download({})[Symbol.asyncIterator]();
  await download.next();
  let before = -1;
  await eventually("the handler to stand still", () => {
    const isStill = yielded === before;
    before = yielded;
    return isStill;
  });
  assert.ok(yielded < 1_000, `${yielded} messages were made for a reader that took one`);
  let received = 1;
  for (let next = await download.next(); !next.done; next = await download.next()) {
    assert.equal(next.value.value, chunk);
    received++;
  }
  assert.equal(received, 2_000);
});

test("an upload waits for a handler that does not read, and arrives in order", async (t) => {
  const gate = Promise.withResolvers<void>();
  const lab = await TlsLab.open(t, localhost, {
    async upload(requests) {
      await gate.promise;
      let count = 0;
      for await (const { value } of requests) assert.ok(value.startsWith(`${count++}:`));
      return { value: String(count) };
    },
  });
  const { client } = lab.channel();
  const upload = client.upload();
  const filler = "z".repeat(50_000);
  let sent = 0;
  const sending = (async () => {
    for (; sent < 200; sent++) await upload.send({ value: `${sent}:${filler}` });
    upload.end();
  })();
  let before = -1;
  await eventually("the sender to stand still", () => {
    const isStill = sent > 0 && sent === before;
    before = sent;
    return isStill;
  });
  assert.ok(sent < 200, "nothing held the sender back");
  gate.resolve();
  await sending;
  assert.equal((await upload).value, "200");
});

test("both sides of a chat write without waiting for each other, megabytes of it", async (t) => {
  const lab = await TlsLab.open(t);
  const { client } = lab.channel();
  const value = "c".repeat(100_000);
  const answers = await allOf(client.chat(Array.from({ length: 50 }, () => ({ value }))));
  assert.equal(answers.length, 50);
  assert.ok(answers.every((answer) => answer.value === `re:${value}`));
});

test("RFC 9113 §6.8 drain over TLS: calls under way finish, and the connection ends cleanly", async (t) => {
  const gate = Promise.withResolvers<void>();
  const lab = await TlsLab.open(t, localhost, {
    async unary(message) {
      await gate.promise;
      return message;
    },
  });
  const { client, channel } = lab.channel();
  const value = "d".repeat(500_000);
  const call = client.unary({ value });
  await eventually("the call to run", () => lab.server.handlerCount === 1);
  const drained = lab.server.drain();
  await eventually("the GOAWAY to arrive", () => channel.state === "IDLE");
  gate.resolve();
  assert.equal((await call).value, value);
  await drained;
  assert.equal(lab.server.connectionCount, 0);
});

test("a server that closes in the middle of a download is UNAVAILABLE", async (t) => {
  const lab = await TlsLab.open(t, localhost, {
    async *download(_request, call) {
      for (let at = 0; !call.signal.aborted; at++) yield { value: `${at}${"e".repeat(5_000)}` };
    },
  });
  const { client } = lab.channel();
  const download = client.download({})[Symbol.asyncIterator]();
  await download.next();
  await lab.server.close();
  const rest = async () => {
    for (let next = await download.next(); !next.done; next = await download.next());
  };
  await failure(rest(), StatusCode.UNAVAILABLE);
});
