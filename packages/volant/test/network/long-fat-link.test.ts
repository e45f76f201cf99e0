/** One stream over a link of 100 Mbit/s and a round trip of 100 ms, on virtual time: nothing here depends on a clock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Http2Options } from "../../src/http2/options.ts";
import type { Http2Stream } from "../../src/http2/stream.ts";
import type { PairSide } from "../../src/testing/connection-pair.ts";
import { VirtualLink } from "./virtual-link.ts";

const LINK = { delayMs: 50, bitsPerSecond: 100_000_000 } as const;
const OFF: Http2Options = { maxStreamWindowBytes: 1, maxConnectionWindowBytes: 1 };
const REQUEST = [":method", ":scheme", ":path"].map((name) => ({ name, value: "/x", indexing: 0 as const }));
const RESPONSE = [{ name: ":status", value: "200", indexing: 0 as const }];
const MESSAGE_BYTES = 32_768;

type Direction = "upload" | "download";

interface Transfer {
  readonly link: VirtualLink;
  readonly receiver: PairSide;
  /** Octets of DATA that arrived. */
  readonly received: () => number;
}

/** A stream on which one side writes whenever it may and the other reads whatever comes, from the first SETTINGS on. */
function start(direction: Direction, options: Http2Options = {}, delayMs: number = LINK.delayMs): Transfer {
  const joined = new VirtualLink({ ...LINK, delayMs, client: options, server: options });
  const { client, server } = joined;
  let received = 0;
  const write = (side: PairSide, stream: Http2Stream): void => {
    while (side.http2.sendData(stream, Buffer.alloc(MESSAGE_BYTES), false));
  };
  for (const side of [client, server]) {
    side.sink.react = {
      onWritable: (stream) => write(side, stream),
      onData: (stream, _bytes, from, end) => {
        received += end - from;
        side.http2.consume(stream, end - from);
      },
    };
  }
  server.sink.react.onHeaders = (stream) => {
    server.http2.sendHeaders(stream, RESPONSE, false);
    if (direction === "download") write(server, stream);
  };
  client.sink.react.onSettings = () => {
    const stream = client.http2.openStream();
    client.http2.sendHeaders(stream, REQUEST, direction === "download");
    if (direction === "upload") write(client, stream);
  };
  return { link: joined, receiver: direction === "upload" ? server : client, received: () => received };
}

/** Which part of what the link could carry in that time arrived. */
function shareOf({ link, received }: Transfer, ms: number): number {
  const before = received();
  link.run(ms);
  return (received() - before) / (ms * link.bytesPerMs);
}

for (const direction of ["upload", "download"] as const) {
  test(`${direction}: one stream takes at least 80 % of the link, its first seconds included`, () => {
    const transfer = start(direction);
    const first = shareOf(transfer, 8_000);
    assert.ok(first >= 0.8, `${(first * 100).toFixed(1)} % of the first eight seconds`);
    const later = shareOf(transfer, 2_000);
    assert.ok(later >= 0.98, `${(later * 100).toFixed(1)} % afterwards`);
  });

  test(`${direction}: without growth it takes what its first window allows`, () => {
    const share = shareOf(start(direction, OFF), 4_000);
    assert.ok(share < 0.06, `${(share * 100).toFixed(1)} %`);
  });
}

test("the windows stop growing near twice the product of bandwidth and delay, far below their caps", () => {
  const transfer = start("download", { maxStreamWindowBytes: 67_108_864, maxConnectionWindowBytes: 268_435_456 });
  transfer.link.run(20_000);
  const [stream] = [...transfer.receiver.http2.streams()];
  const product = transfer.link.bytesPerMs * 2 * LINK.delayMs;
  const { size } = stream!.receiveWindow;
  assert.ok(size >= 1.5 * product && size <= 5 * product, `${size} for ${product}`);
});

test("a short link grows no window: what is under way there fits the first one", () => {
  const transfer = start("download", {}, 0.5);
  const share = shareOf(transfer, 4_000);
  assert.ok(share > 0.9, `${(share * 100).toFixed(1)} %`);
  const [stream] = [...transfer.receiver.http2.streams()];
  assert.ok(stream!.receiveWindow.size <= 4 * 65_535, String(stream!.receiveWindow.size));
});

test("a PING measures at most once in a round trip", () => {
  const transfer = start("upload");
  transfer.link.run(10_000);
  const pings = transfer.receiver.sentFrames.filter((line) => line.startsWith("PING") && !line.endsWith("ack"));
  assert.ok(pings.length > 3 && pings.length <= 100, `${pings.length} PINGs in 100 round trips`);
});
