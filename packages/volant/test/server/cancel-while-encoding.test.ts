/** A message whose own code ends the call that it is sent on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RpcError, type ServerCall, StatusCode } from "../../src/index.ts";
import { eventually, useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { collect, failureOf, withHandlers } from "./support/lab-service.ts";

function ending(call: ServerCall) {
  return {
    get text(): string {
      call.cancel(new RpcError(StatusCode.ABORTED, "ended by its message"));
      return "x".repeat(5_000);
    },
  };
}

for (const send of ["identity", "gzip"] as const) {
  test(`${send}: a call that a message's getter ends has one end, and its handler finishes`, async (t) => {
    const lab = await useServer(
      t,
      withHandlers({
        unary: (_note, call) => ending(call),
        async *download(_note, call) {
          for (;;) yield ending(call);
        },
      }),
      { server: { compression: { send } } },
    );
    const client = lab.client(Lab);
    await failureOf(client.unary({}), StatusCode.ABORTED);
    await failureOf(collect(client.download({})), StatusCode.ABORTED);
    await eventually("the handlers to finish", () => lab.server.handlerCount === 0);
    assert.equal(lab.server.streamCount, 0);
    // Whatever became of the messages is reported; no client can see it.
    lab.takeErrors();
  });
}
