/** Response metadata as large as a client takes: RFC 9113 §6.5.2 counts name, value and 32 octets a field. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Metadata } from "../../src/index.ts";
import { useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { withHandlers } from "../server/support/lab-service.ts";

const LIMIT = 1_000;
/** Beside the value: `grpc-status: 0` and the name, with 32 octets for each. */
const OTHERS = "grpc-status0".length + "x-bin".length + 2 * 32;

test("gRPC detail 19: trailers up to the client's limit pass, with an octet more the server leaves them out", async (t) => {
  const binary = Math.floor(((LIMIT - OTHERS) * 3) / 4);
  const lab = await useServer(
    t,
    withHandlers({
      unary({ number }, call) {
        call.trailers.set("x-bin", new Uint8Array(number));
        return {};
      },
    }),
    { channel: { http2: { maxHeaderListBytes: LIMIT } } },
  );
  const client = lab.client(Lab);
  let received = 0;
  const onTrailers = (metadata: Metadata): void => {
    received = metadata.get("x-bin")?.length ?? -1;
  };
  await client.unary({ number: binary }, { onTrailers });
  assert.equal(received, binary);
  await client.unary({ number: binary + 1 }, { onTrailers });
  assert.equal(received, -1);
  assert.equal(lab.takeErrors().length, 1);
  await client.unary({ number: 0 });
});
