/**
 * The compressed cases of gRPC's interop suite from the client's side. A tap in front of the server tells which messages
 * were compressed.
 *
 * Two messages of one call of which only the first is compressed: the second is made of random octets, which compression
 * does not make smaller, and the library then leaves a message as it is.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type Channel, StatusCode } from "volant";
import { body, LARGE_RESPONSE_BYTES, largeRequest, testClient } from "./interop-cases.ts";
import type { MessageTap } from "./message-tap.ts";

export interface CompressedPeer {
  readonly channel: Channel;
  readonly tap: MessageTap;
  /** The server notices a message that is not compressed although it says so. */
  readonly checksRequests: boolean;
}

const flag = (value: boolean) => ({ value });

async function clientCompressedUnary({ channel, tap, checksRequests }: CompressedPeer): Promise<void> {
  const call = async (isCompressed: boolean, isClaimed: boolean): Promise<void> => {
    const request = { ...largeRequest, expectCompressed: flag(isClaimed) };
    const { payload } = await testClient(channel).unaryCall(request, {
      compression: isCompressed ? "gzip" : "identity",
    });
    assert.equal(payload?.body.length, LARGE_RESPONSE_BYTES);
  };
  if (checksRequests) await assert.rejects(call(false, true), { code: StatusCode.INVALID_ARGUMENT });
  tap.requests.length = 0;
  await call(true, true);
  await call(false, false);
  assert.deepEqual(tap.requests, [true, false]);
}

async function serverCompressedUnary({ channel, tap }: CompressedPeer): Promise<void> {
  for (const responseCompressed of [flag(true), flag(false)]) {
    const { payload } = await testClient(channel).unaryCall({ ...largeRequest, responseCompressed });
    assert.equal(payload?.body.length, LARGE_RESPONSE_BYTES);
  }
  assert.deepEqual(tap.responses, [true, false]);
}

async function clientCompressedStreaming({ channel, tap, checksRequests }: CompressedPeer): Promise<void> {
  const compressed = { expectCompressed: flag(true), payload: body(27_182) };
  const plain = { expectCompressed: flag(false), payload: { body: randomBytes(45_904) } };
  const client = testClient(channel);
  if (checksRequests) {
    await assert.rejects(client.streamingInputCall([compressed]), { code: StatusCode.INVALID_ARGUMENT });
  }
  tap.requests.length = 0;
  const { aggregatedPayloadSize } = await client.streamingInputCall([compressed, plain], { compression: "gzip" });
  assert.equal(aggregatedPayloadSize, 73_086);
  assert.deepEqual(tap.requests, [true, false]);
}

async function serverCompressedStreaming({ channel, tap }: CompressedPeer): Promise<void> {
  const responseParameters = [
    { compressed: flag(true), size: 31_415 },
    { compressed: flag(false), size: 92_653 },
  ];
  const sizes: (number | undefined)[] = [];
  for await (const { payload } of testClient(channel).streamingOutputCall({ responseParameters })) {
    sizes.push(payload?.body.length);
  }
  assert.deepEqual(sizes, [31_415, 92_653]);
  assert.deepEqual(tap.responses, [true, false]);
}

export const COMPRESSED_CASES = {
  client_compressed_unary: clientCompressedUnary,
  server_compressed_unary: serverCompressedUnary,
  client_compressed_streaming: clientCompressedStreaming,
  server_compressed_streaming: serverCompressedStreaming,
} as const satisfies Readonly<Record<string, (peer: CompressedPeer) => Promise<void>>>;

export type CompressedCaseName = keyof typeof COMPRESSED_CASES;

export const COMPRESSED_NAMES = Object.keys(COMPRESSED_CASES) as CompressedCaseName[];
