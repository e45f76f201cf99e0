import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FrameFlag, FrameType } from "../../src/http2/frame-type.ts";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

/** A shared collection of single frames, valid and not, as one JSON file each. */
const FOLDER = join(import.meta.dirname, "../../../../../shared/data/frames");
const skip = existsSync(FOLDER) ? false : "the collection of frame cases is not beside this repository";

interface FrameCase {
  readonly name: string;
  readonly error: readonly number[] | null;
  readonly wire: string;
  readonly frame: { readonly type: number; readonly flags: number; readonly stream_identifier: number } | null;
}

function readCases(): FrameCase[] {
  if (skip !== false) return [];
  const paths = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".json"));
  return paths.sort().map((name) => ({ ...(JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as FrameCase), name }));
}

test("frame cases are present", { skip }, () => assert.ok(readCases().length >= 30));

for (const { name, error, wire } of readCases().filter((one) => one.error !== null)) {
  test(`frame case ${name}: the connection or stream ends with code ${error}`, () => {
    const server = CoreUnderTest.ready("server").receive(frames.headers(1).request("POST", "/"));
    server.receive(Buffer.from(wire, "hex"));
    const last = server.sent().at(-1) ?? "";
    const codes = error!.map(
      (code) => ["NO_ERROR", "PROTOCOL_ERROR", "", "FLOW_CONTROL_ERROR", "", "STREAM_CLOSED", "FRAME_SIZE_ERROR"][code],
    );
    // RFC 9113 §6.6: a server answers every PUSH_PROMISE with PROTOCOL_ERROR, whatever else is wrong with it.
    assert.ok(
      codes.some((code) => /^(GOAWAY|RST_STREAM) /.test(last) && last.includes(` ${code}`)),
      `${last} is not ${codes}`,
    );
  });
}

for (const { name, wire, frame } of readCases().filter((one) => one.error === null)) {
  test(`frame case ${name}: it is read as what it is`, () => {
    const seen: number[][] = [];
    const server = new CoreUnderTest("server");
    const { http2 } = server;
    const inner = http2.onFrame.bind(http2);
    http2.onFrame = (bytes, start, length, type, flags, streamId) => {
      if (type !== FrameType.SETTINGS || seen.length > 0 || length > 0) seen.push([length, type, flags, streamId]);
      return inner(bytes, start, length, type, flags, streamId);
    };
    server.receive(frames.preface, frames.settings());
    const octets = Buffer.from(wire, "hex");
    server.receive(octets);
    assert.deepEqual(seen, [[octets.length - 9, frame!.type, frame!.flags, frame!.stream_identifier]]);
    const isSizeFault = server.http2.fault?.code === 6;
    assert.equal(isSizeFault, false, "its length is legal");
    if (frame!.type === FrameType.PING && (frame!.flags & FrameFlag.ACK) === 0)
      assert.match(server.sent().at(-1) ?? "", /^PING .* ack$/);
  });
}
