/** A server that has ended a call whose reader is behind: the stream is over, the call is not. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { StatusCode } from "volant";
import { frames } from "../../src/testing/frame-factory.ts";
import { messageBytes } from "./support/echo-service.ts";
import { drained, type EchoClient, failure, until, withPeer } from "./support/harness.ts";
import type { PeerConnection } from "./support/scripted-peer.ts";

/** One stream at a time, one message ahead of the reader. */
async function withSlowReader(t: TestContext) {
  const fixture = await withPeer(t, { decodeAheadBytes: 0 });
  const connected = fixture.channel.connect();
  const connection = await fixture.peer.accept();
  await connection.handshake([3, 1]);
  await connected;
  return { ...fixture, connection };
}

/** The whole answer, of which a reader that has not begun gets one message. */
function answerInThree(connection: PeerConnection, status = "0"): void {
  const messages = ["a", "b", "c"].map((value) => frames.data(1, messageBytes(value)));
  connection.write(connection.headers(1), ...messages, connection.trailers(1, status));
}

const KINDS: readonly [string, (client: EchoClient) => AsyncIterable<{ value: string }>][] = [
  ["a request that has ended", (client) => client.download({ value: "" })],
  ["a request that has not", (client) => client.chat()],
];

for (const [name, begin] of KINDS) {
  test(`§5.1.2 the stream of an answer that waits for its reader is room for the next call: ${name}`, async (t) => {
    const { client, channel, connection } = await withSlowReader(t);
    const unread = begin(client);
    await connection.sees(/^HEADERS 1/);
    const next = client.unary({ value: "next" });
    assert.equal(channel.pendingCount, 1);
    answerInThree(connection);
    await until(() => connection.log.some((text) => text.startsWith("HEADERS 3")));
    connection.answer(3, "next");
    assert.equal((await next).value, "next");
    const resets = connection.log.filter((text) => text.startsWith("RST_STREAM"));
    assert.deepEqual(resets, name === KINDS[0]![0] ? [] : ["RST_STREAM 1 NO_ERROR"]);
    assert.deepEqual(await drained(unread), { values: ["a", "b", "c"], error: undefined });
  });

  test(`a connection that is lost behind a complete answer takes nothing from its reader: ${name}`, async (t) => {
    const { client, channel, connection } = await withSlowReader(t);
    const unread = begin(client);
    await connection.sees(/^HEADERS 1/);
    answerInThree(connection);
    await until(() => channel.stats().streams === 0);
    connection.destroy();
    await until(() => channel.stats().connections === 0);
    assert.deepEqual(await drained(unread), { values: ["a", "b", "c"], error: undefined });
  });

  test(`close() cancels a call whose answer waits for its reader, connected or not: ${name}`, async (t) => {
    for (const isConnected of [true, false]) {
      const { client, channel, connection } = await withSlowReader(t);
      const unread = begin(client);
      await connection.sees(/^HEADERS 1/);
      answerInThree(connection);
      await until(() => channel.stats().streams === 0);
      if (!isConnected) connection.destroy();
      await until(() => channel.stats().connections === (isConnected ? 1 : 0));
      await channel.close();
      const { values, error } = await drained(unread);
      assert.deepEqual(values, ["a"]);
      await failure(Promise.reject(error), StatusCode.CANCELLED);
    }
  });
}

for (const [status, codeName] of [
  ["0", "CANCELLED"],
  ["10", "ABORTED"],
] as const) {
  test(`one loop that reads and writes comes to the end of a call that the server has ended with ${status}`, async (t) => {
    const { client, channel, connection } = await withSlowReader(t);
    const chat = client.chat();
    const send = (value: string): Promise<string> =>
      chat.send({ value }).then(
        () => "sent",
        (error) => error.codeName,
      );
    // More than the server's window takes, so that it waits.
    const waiting = send("x".repeat(200_000));
    await connection.sees(/^DATA 1/);
    answerInThree(connection, status);
    await until(() => channel.stats().streams === 0);
    const seen: string[] = [];
    const loop = (async () => {
      for await (const { value } of chat) seen.push(value, await send("ack"));
    })().catch((error) => error.codeName);
    let isOver = false;
    void loop.then(() => {
      isOver = true;
    });
    await until(() => isOver);
    assert.deepEqual(seen, ["a", codeName, "b", codeName, "c", codeName]);
    assert.equal(await waiting, codeName);
    assert.equal(await loop, status === "0" ? undefined : codeName);
  });
}
