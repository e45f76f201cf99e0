/** Metadata larger than a side takes: RFC 9113 §6.5.2 counts name, value and 32 octets a field, base64 as it is sent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Fields, frames } from "../../src/testing/frame-factory.ts";
import { useServer } from "../../src/testing/index.ts";
import { withHandlers } from "../server/support/lab-service.ts";
import { GRPC_FIELDS, prefixed, RawPeer } from "../server/support/raw-peer.ts";

const LIMIT = 1_000;
const FIELD_OVERHEAD = 32;

function sizeOf(fields: Fields): number {
  return fields.reduce((sum, [name, value]) => sum + name.length + value.length + FIELD_OVERHEAD, 0);
}

const REQUEST: Fields = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/volant.test.Lab/Unary"],
  [":authority", "lab"],
  ...GRPC_FIELDS,
];

for (const key of ["x-a", "x-bin"]) {
  test(`gRPC detail 19: a request with ${key} up to the server's limit passes, an octet more is refused`, async (t) => {
    const lab = await useServer(t, withHandlers({}), { server: { http2: { maxHeaderListBytes: LIMIT } } });
    const peer = await RawPeer.ready(lab);
    const room = LIMIT - sizeOf([...REQUEST, [key, ""]]);
    const send = (streamId: number, octets: number): Promise<string[]> => {
      const headers = frames.headers(streamId).fields([...REQUEST, [key, "A".repeat(octets)]]);
      peer.send(headers, frames.data(streamId, prefixed(Buffer.alloc(0))).endStream());
      return peer.answer(streamId);
    };
    // Base64 comes in fours, or ends with two or three.
    const most = key === "x-bin" && room % 4 === 1 ? room - 1 : room;
    assert.match((await send(1, most)).at(-1)!, /grpc-status=0/);
    assert.match((await send(3, room + 1)).join(), /grpc-status=8 grpc-message=the request's header list is larger/);
    assert.match((await send(5, 0)).at(-1)!, /grpc-status=0/);
  });
}
