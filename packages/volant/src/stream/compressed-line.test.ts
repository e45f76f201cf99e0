import assert from "node:assert/strict";
import { test } from "node:test";
import { compressionThreads, ThreadLine } from "../compression/threads.ts";
import type { MessageEncoding } from "../grpc/message-encoding.ts";
import { PREFIX_BYTES } from "../grpc/message-prefix.ts";
import { CompressedLine } from "./compressed-line.ts";

test("a peer for whom hundreds of messages are compressed does not make another peer's one wait for them", () => {
  const begun: string[] = [];
  const finish: (() => void)[] = [];
  const encoding = {
    compressOffLoop(message: Uint8Array, onDone: (compressed: Buffer | undefined) => void) {
      begun.push(String(message));
      finish.push(() => onDone(undefined));
    },
  } as unknown as MessageEncoding;
  const sent: string[] = [];
  const send = (text: string, threadLine: ThreadLine): void => {
    const target = {
      transmit: ({ bytes }: { bytes: Buffer }) => sent.push(bytes.toString("latin1", PREFIX_BYTES)),
      isOver: false,
      hold: () => undefined,
      onHeldChange: () => undefined,
      onIdle: () => undefined,
    };
    const line = new CompressedLine(target, encoding, { minBytes: 0, offLoopBytes: 0 }, threadLine);
    line.add({ bytes: Buffer.from(`     ${text}`), trailers: undefined, isLast: false });
  };
  const greedy = new ThreadLine();
  for (let at = 0; at < 300; at++) send("greedy", greedy);
  send("other", new ThreadLine());
  assert.equal(begun.length, compressionThreads.maxRunning);
  finish[0]!();
  finish[1]!();
  assert.equal(begun.indexOf("other"), compressionThreads.maxRunning + 1);
  for (let at = 2; at < finish.length; at++) finish[at]!();
  assert.equal(sent.length, 301);
  assert.equal(compressionThreads.runningCount, 0);
});
