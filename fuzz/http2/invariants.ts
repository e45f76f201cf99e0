/**
 * What holds for a connection at any moment between two calls, whatever its peer did. RFC 9113 §5.1.2, §6.9, §10.5.
 */
import assert from "node:assert/strict";
import type { Http2Connection, ResolvedHttp2Options, Role } from "../../packages/volant/src/http2/index.ts";
import { grownStreamWindow, keptOctets, type Ledger, ledgerOf, partsOf } from "./internals.ts";

const FRAME_HEADER_BYTES = 9;
const DEFAULT_WINDOW_BYTES = 65_535;
const LARGEST_DATA_FRAME = FRAME_HEADER_BYTES + 16_384;
/** Control frames and header blocks that wait for nobody: what one step of a script can add to the output. */
const CONTROL_ROOM_BYTES = 64 * 1024;

/** Every octet of a window is somewhere. */
export function assertLedger(connection: Http2Connection): void {
  const { receiveWindow, streams } = partsOf(connection);
  assertBalanced("the connection", ledgerOf(receiveWindow));
  assert.ok(receiveWindow.open >= 0, "the peer sent more than the connection's window");
  let held = 0;
  for (const stream of streams.values()) {
    assertBalanced(`stream ${stream.id}`, ledgerOf(stream.receiveWindow));
    assert.ok(!stream.isClosed || connection.isClosed, `stream ${stream.id} is closed and still there`);
    held += stream.receiveWindow.held;
  }
  if (!connection.isClosed) assert.equal(receiveWindow.held, held, "the connection holds what its streams hold");
}

function assertBalanced(whose: string, { open, held, target, returned, granted, excess }: Ledger): void {
  const shown = `${whose}: ${JSON.stringify({ open, held, target, returned, granted, excess })}`;
  assert.equal(open + held + returned, target + granted + excess, shown);
  assert.ok(Math.min(held, returned, granted, excess) >= 0, shown);
}

/** Windows grow no further than their caps. RFC 9113 §6.5.3: until SETTINGS are acknowledged the default is in force. */
function assertWindowSizes(options: ResolvedHttp2Options, connection: Http2Connection): void {
  const { receiveWindow, streams } = partsOf(connection);
  const ofConnection = Math.max(options.connectionWindowBytes, options.maxConnectionWindowBytes);
  assert.ok(receiveWindow.size <= ofConnection, `the connection's window has grown to ${receiveWindow.size}`);
  const grown = grownStreamWindow(connection);
  const cap = Math.max(options.initialStreamWindowBytes, options.maxStreamWindowBytes);
  assert.ok(grown <= cap, `windows of streams grow to ${grown}`);
  const ofStream = Math.max(cap, DEFAULT_WINDOW_BYTES);
  for (const { id, receiveWindow: window } of streams.values()) {
    assert.ok(window.size <= ofStream, `the window of stream ${id} has grown to ${window.size}`);
  }
}

/** Nothing a peer can make us hold is without a bound. `largestWrite`: what the layer above hands over at once. */
export function assertWithinOptions(
  role: Role,
  options: ResolvedHttp2Options,
  connection: Http2Connection,
  largestWrite: number,
): void {
  const { streams, output, slots, decoder, receiveWindow } = partsOf(connection);
  if (role === "server") {
    assert.ok(
      streams.openRemote + slots.size <= options.maxConcurrentStreams,
      `${streams.openRemote} streams are open`,
    );
  }
  assert.ok(
    output.length <= options.outputHighWaterBytes + LARGEST_DATA_FRAME + CONTROL_ROOM_BYTES,
    `${output.length} octets wait for the socket`,
  );
  for (const stream of streams.values()) {
    const limit = options.streamHighWaterBytes + largestWrite;
    assert.ok(stream.queuedBytes <= limit, `stream ${stream.id} has ${stream.queuedBytes} octets queued`);
  }
  assertWindowSizes(options, connection);
  const mostHeld = receiveWindow.size + ledgerOf(receiveWindow).granted + ledgerOf(receiveWindow).excess;
  assert.ok(receiveWindow.held <= mostHeld, `${receiveWindow.held} octets are held`);
  const kept = keptOctets(connection);
  assert.ok(kept.frame <= options.maxFrameBytes + FRAME_HEADER_BYTES, `${kept.frame} octets of a frame are kept`);
  assert.ok(kept.block <= 2 * options.maxHeaderListBytes, `${kept.block} octets of a header block are kept`);
  assert.ok(decoder.table.bytes <= Math.max(options.headerTableBytes, 4_096), "the header table is too large");
}
