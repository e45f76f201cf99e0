/**
 * The graceful end of a connection by its server, in two GOAWAYs. RFC 9113 §6.8: the first announces the end without
 * refusing anything; a PING proves that the peer has seen it; the second names the last stream taken.
 *
 * Owns that sequence; the driver closes the transport once no stream is left.
 */
import type { ConnectionParts } from "./connection-parts.ts";
import { ErrorCode } from "./error-code.ts";
import { MAX_STREAM_ID } from "./frame-type.ts";
import { PING_BYTES, writePing } from "./frames/ping.ts";

/** Opaque number of the drain's PING; other PINGs count from 0. */
const DRAIN_PING = 0xffff_ffff;

export class Drain {
  /** When the second GOAWAY is sent even without the peer's acknowledgement. */
  deadlineMs = Number.POSITIVE_INFINITY;
  private readonly parts: ConnectionParts;
  private state: "idle" | "waiting" | "announced" | "final" = "idle";
  /** Debug data of both GOAWAYs. */
  private reason = "";

  constructor(parts: ConnectionParts) {
    this.parts = parts;
  }

  /** True once the last stream taken is named: nothing new will come. */
  get isFinal(): boolean {
    return this.state === "final";
  }

  begin(nowMs: number, reason: string): void {
    if (this.parts.isClosed || this.state === "announced" || this.state === "final") return;
    this.reason = reason;
    // RFC 9113 §3.4: GOAWAY cannot come before our SETTINGS; the handshake's deadline bounds this wait.
    if (!this.parts.isOpeningSent) {
      this.state = "waiting";
      return;
    }
    this.state = "announced";
    this.deadlineMs = nowMs + this.parts.options.drainPingTimeoutMs;
    this.parts.writeGoAway(MAX_STREAM_ID, ErrorCode.NO_ERROR, this.reason);
    this.sendPing(DRAIN_PING);
  }

  /** Our SETTINGS are out. */
  onOpeningSent(nowMs: number): void {
    if (this.state === "waiting") this.begin(nowMs, this.reason);
  }

  sendPing(opaque: number): void {
    if (!this.parts.isOpeningSent) return;
    const { output } = this.parts;
    output.ensure(PING_BYTES);
    output.length = writePing(output.bytes, output.length, opaque);
    this.parts.outputWritten();
  }

  /** True where the acknowledgement was the drain's own. */
  onPingAck(opaque: number): boolean {
    if (opaque !== DRAIN_PING) return false;
    this.finish();
    return true;
  }

  finish(): void {
    if (this.state !== "announced" || this.parts.isClosed) return;
    this.state = "final";
    this.deadlineMs = Number.POSITIVE_INFINITY;
    const { parts } = this;
    parts.acceptUpTo = parts.streams.lastRemoteId;
    parts.writeGoAway(parts.acceptUpTo, ErrorCode.NO_ERROR, this.reason);
  }
}
