/** What handlers ask of a call while they hear that it is over. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CallEnd, RpcError, type ServerCall, StatusCode } from "../../src/index.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually, useServer } from "../../src/testing/index.ts";
import { withHandlers } from "./support/lab-service.ts";
import { prefixed, RawPeer, call as request } from "./support/raw-peer.ts";

const COMMANDS: Readonly<Record<string, (call: ServerCall) => void>> = {
  "call.cancel": (call) => call.cancel(new RpcError(StatusCode.ABORTED, "nobody hears this")),
  "call.sendHeaders": (call) => call.sendHeaders(),
};

const ENDS: Readonly<Record<"peer" | "connection", (peer: RawPeer) => void>> = {
  peer: (peer) => peer.send(frames.rstStream(1, 8), frames.rstStream(3, 8)),
  connection: (peer) => peer.socket.destroy(),
};

const CASES = Object.entries(COMMANDS).flatMap(([name, command]) =>
  Object.entries(ENDS).map(([endedBy, end]) => ({ name, command, endedBy, end })),
);

for (const { name, command, endedBy, end } of CASES) {
  test(`RFC 9113 §5.4.2 ${name} while the end by the ${endedBy} is told does nothing, and that end stays`, async (t) => {
    const ends: CallEnd[] = [];
    const failures: unknown[] = [];
    let told = 0;
    const attempt = (call: ServerCall): void => {
      told++;
      try {
        command(call);
      } catch (error) {
        failures.push(error);
      }
    };
    const lab = await useServer(
      t,
      withHandlers({
        async unary(_note, call) {
          call.onEnd((each) => ends.push(each));
          const aborted = new Promise((resolve) => call.signal.addEventListener("abort", resolve));
          call.signal.addEventListener("abort", () => attempt(call));
          await aborted;
          return {};
        },
        *download(_note, call) {
          call.onEnd((each) => ends.push(each));
          try {
            for (;;) yield { body: new Uint8Array(100_000) };
          } finally {
            attempt(call);
          }
        },
      }),
    );
    const peer = await RawPeer.ready(lab, 1);
    const empty = prefixed(Buffer.alloc(0));
    peer.send(request(1, "Unary"), frames.data(1, empty).endStream());
    peer.send(request(3, "Download"), frames.data(3, empty).endStream());
    await eventually("both handlers to run", () => lab.server.handlerCount === 2);
    end(peer);
    await eventually("both handlers to finish", () => lab.server.handlerCount === 0);
    assert.deepEqual([failures, told], [[], 2]);
    assert.deepEqual(
      ends.map(({ status, cancelledBy }) => [status.code, cancelledBy]),
      [
        [StatusCode.CANCELLED, endedBy],
        [StatusCode.CANCELLED, endedBy],
      ],
    );
  });
}
