import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test } from "node:test";
import { frames } from "../../packages/volant/src/testing/frame-factory.ts";
import { MessageTap } from "./message-tap.ts";

const message = (isCompressed: boolean, octets: number): Buffer => {
  const bytes = Buffer.alloc(5 + octets);
  bytes[0] = isCompressed ? 1 : 0;
  bytes.writeUInt32BE(octets, 1);
  return bytes;
};

test("a tap passes every octet on and tells compressed messages from others, however frames cut them", async () => {
  const received: Buffer[] = [];
  let clientPort = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    clientPort = socket.remotePort ?? 0;
    socket.on("data", (chunk: Buffer) => received.push(chunk));
    socket.on("end", () => socket.end(frames.data(1, message(true, 0)).bytes()));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  await using tap = await MessageTap.listen((server.address() as AddressInfo).port);

  const first = Buffer.concat([message(true, 3), message(false, 10)]);
  const sent = Buffer.concat([
    frames.preface,
    frames.data(1, first.subarray(0, 2)).bytes(),
    frames.data(3, message(false, 1)).bytes(),
    frames.data(1, first.subarray(2, 11)).bytes(),
    frames.data(1, first.subarray(11)).bytes(),
  ]);
  const client = connect({ port: tap.port, host: "127.0.0.1", allowHalfOpen: true });
  const closed = once(client, "close");
  client.resume();
  client.end(sent);
  await closed;
  server.close();
  await once(server, "close");

  assert.deepEqual(Buffer.concat(received), sent);
  assert.deepEqual(tap.requests, [false, true, false]);
  assert.deepEqual(tap.responses, [true]);
  const address = `127.0.0.1:${clientPort}`;
  assert.deepEqual(
    [1, 2, 3, 4].map(() => tap.takeRequest(address)),
    [false, true, false, undefined],
  );
});
