/**
 * Receive windows that grow with the link. Owns the sizes that windows of this connection return to, and the PINGs that
 * measure for it; the measuring itself is in `bandwidth-estimator.ts`, the windows' arithmetic in `flow-window.ts`.
 * RFC 9113 §5.2, §6.7, §6.9.
 *
 * A stream takes the larger size when its consumed octets are announced the next time. So growth costs no frame beside the
 * PINGs, SETTINGS stay what they were, and a stream whose reader takes nothing keeps the window it began with.
 *
 * PINGs: only for a stream that carried half a window, at a rate that could fill one, and only until both windows are at
 * their caps. All octets that lead to a PING arrived behind the acknowledgement of the one before, so the peer has sent
 * DATA between any two of them: a server that counts pings without data as strikes never counts these (gRFC A8). One that
 * is never acknowledged is the last; nothing waits for it.
 */

import { BandwidthEstimator, windowAfterSample } from "./bandwidth-estimator.ts";
import type { ConnectionParts } from "./connection-parts.ts";
import { PING_BYTES, writePing } from "./frames/ping.ts";
import type { SettingsSync } from "./settings-sync.ts";
import type { Http2Stream } from "./stream.ts";

/** Opaque number of these PINGs; the drain has its own, others count from 0. */
const GROWTH_PING = 0xffff_fffe;
/** Streams that may be full and unread before they stop the connection; fewer only at the connection's cap. */
const STREAMS_PER_CONNECTION_WINDOW = 4;

export class WindowGrowth {
  /** What the windows of streams grow to. */
  streamWindowBytes: number;
  private readonly parts: ConnectionParts;
  private readonly settings: SettingsSync;
  private readonly estimator = new BandwidthEstimator();
  /** Half of the smallest window that may still grow; Infinity once none may, and nothing is measured any more. */
  private worthBytes = 0;

  constructor(parts: ConnectionParts, settings: SettingsSync) {
    this.parts = parts;
    this.settings = settings;
    this.streamWindowBytes = parts.options.initialStreamWindowBytes;
    this.findWorth();
  }

  /** `bytes` of DATA arrived on a stream that is open. */
  onData(stream: Http2Stream, bytes: number): void {
    if (this.worthBytes === Number.POSITIVE_INFINITY) return;
    stream.receivedBytes += bytes;
    const counted = this.estimator.add(bytes, this.parts.nowMs);
    if (counted >= this.worthBytes && stream.receivedBytes >= this.worthBytes) this.considerSample();
  }

  /** True where the acknowledgement was this one's. */
  onPingAck(opaque: number): boolean {
    if (opaque !== GROWTH_PING) return false;
    if (this.estimator.isSampling) this.endSample();
    return true;
  }

  private considerSample(): void {
    const { parts, estimator } = this;
    // RFC 9113 §6.5.3: until then our own initial size may still be on its way down.
    if (estimator.isSampling || !this.settings.isAcknowledged || parts.isClosed) return;
    if (!estimator.isWorthSampling(2 * this.worthBytes, parts.nowMs)) return;
    const { output } = parts;
    output.ensure(PING_BYTES);
    output.length = writePing(output.bytes, output.length, GROWTH_PING);
    parts.outputWritten();
    estimator.begin(parts.nowMs);
  }

  private endSample(): void {
    const { receiveWindow, options, nowMs } = this.parts;
    const sample = this.estimator.end(nowMs);
    // Octets that wait for the application are no reason to take more: then it is the one that is slow.
    if (sample === 0 || receiveWindow.waiting * 2 > receiveWindow.size) return;
    const { maxStreamWindowBytes, maxConnectionWindowBytes } = options;
    const stream = windowAfterSample(this.streamWindowBytes, sample, maxStreamWindowBytes);
    const before = receiveWindow.size;
    const measured = windowAfterSample(before, sample, maxConnectionWindowBytes);
    const shared = Math.min(STREAMS_PER_CONNECTION_WINDOW * stream, maxConnectionWindowBytes);
    const connection = stream > this.streamWindowBytes ? Math.max(measured, shared) : measured;
    if (stream === this.streamWindowBytes && connection === before) return;
    this.estimator.accept();
    this.streamWindowBytes = stream;
    const increment = connection > before ? receiveWindow.grow(connection) : 0;
    if (increment > 0) this.parts.writeWindowUpdate(0, increment);
    this.findWorth();
  }

  private findWorth(): void {
    const { options, receiveWindow } = this.parts;
    const stream = unlessAtCap(this.streamWindowBytes, options.maxStreamWindowBytes);
    const connection = unlessAtCap(receiveWindow.size, options.maxConnectionWindowBytes);
    this.worthBytes = Math.min(stream, connection) / 2;
  }
}

function unlessAtCap(windowBytes: number, maxBytes: number): number {
  return windowBytes < maxBytes ? windowBytes : Number.POSITIVE_INFINITY;
}
