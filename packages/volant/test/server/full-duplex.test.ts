/**
 * architecture.md "Streaming": two peers that both write without reading must not deadlock. Both sides are ours, and next to
 * nothing fits between them.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Channel, createClient, Server } from "../../src/index.ts";
import { eventually } from "../../src/testing/index.ts";
import { MemoryWire } from "../../src/transport/memory-wire.ts";
import { Lab } from "../gen/lab_pb.ts";
import { echo, type LabHandlers } from "./support/lab-service.ts";

/** What the "kernel" holds between the two: less than one frame. */
const CAPACITY_BYTES = 512;
const BODY = Buffer.alloc(10_000);
const MESSAGES = 60;

async function pair(
  handlers: Partial<LabHandlers>,
  act: (channel: Channel, server: Server) => Promise<void>,
): Promise<void> {
  await using server = new Server();
  server.add(Lab, { ...echo, ...handlers });
  await using channel = new Channel("unix:memory", {}, (_endpoint, events) => {
    const attempt = setImmediate(() => {
      let far: MemoryWire | undefined;
      server.attach((sink) => {
        far = new MemoryWire(sink, CAPACITY_BYTES);
        return far;
      });
      events.onConnected((sink) => {
        const near = new MemoryWire(sink, CAPACITY_BYTES);
        MemoryWire.join(near, far!);
        return near;
      });
    });
    return () => clearImmediate(attempt);
  });
  await act(channel, server);
}

/** Both sides of a chat write everything they have before they read anything. */
async function* writeThenRead(requests: AsyncIterable<unknown>, count: () => void): AsyncGenerator<{ body: Buffer }> {
  for (let at = 0; at < MESSAGES; at++) yield { body: BODY };
  for await (const _ of requests) count();
}

test("echoes in both directions at once get through buffers smaller than a frame", () =>
  pair(
    {
      async *chat(requests) {
        for await (const { body } of requests) yield { body };
      },
    },
    async (channel) => {
      const client = createClient(Lab, channel);
      const chats = Array.from({ length: 8 }, async () => {
        let received = 0;
        const outgoing = Array.from({ length: MESSAGES }, () => ({ body: BODY }));
        for await (const { body } of client.chat(outgoing)) received += body.length;
        return received;
      });
      assert.deepEqual(await Promise.all(chats), new Array(8).fill(MESSAGES * BODY.length));
    },
  ));

test("streams whose both ends only write hold up neither other calls nor, once they are read, themselves", () => {
  let received = 0;
  return pair({ chat: (requests) => writeThenRead(requests, () => received++) }, async (channel) => {
    const client = createClient(Lab, channel);
    const chats = Array.from({ length: 4 }, () => client.chat());
    const sent = chats.map(async (chat) => {
      for (let at = 0; at < MESSAGES; at++) await chat.send({ body: BODY });
      chat.end();
    });
    // Both directions of every chat are full by now, or will be: other calls pass.
    for (let at = 0; at < 50; at++) assert.equal((await client.unary({ text: `${at}` })).text, `echo ${at}`);
    const counts = chats.map(async (chat) => {
      let count = 0;
      for await (const _ of chat) count++;
      return count;
    });
    assert.deepEqual(await Promise.all(counts), new Array(4).fill(MESSAGES));
    await Promise.all(sent);
    await eventually("the server to have read everything", () => received === 4 * MESSAGES);
  });
});
