/**
 * The first octets of a connection, in both directions: the preface, our SETTINGS and window, and what a peer is told that
 * speaks another protocol. Owns the order of what goes out before anything else; reads no frame. RFC 9113 §3.4.
 */
import type { ConnectionParts } from "./connection-parts.ts";
import type { Drain } from "./drain.ts";
import { ErrorCode } from "./error-code.ts";
import { connectionFault, type Fault } from "./fault.ts";
import { DEFAULT_WINDOW_BYTES } from "./flow-window.ts";
import { CLIENT_PREFACE, foreignAnswer, HTTP1_RESPONSE, looksLikeHttp1 } from "./preface.ts";
import type { SettingsSync } from "./settings-sync.ts";

const BAD_PREFACE = connectionFault(ErrorCode.PROTOCOL_ERROR, "bad-preface");
const HTTP1_REQUEST = connectionFault(ErrorCode.HTTP_1_1_REQUIRED, "http1-request");
const FRAME_TOO_LARGE = connectionFault(ErrorCode.FRAME_SIZE_ERROR, "frame-too-large");

export class Opening {
  private readonly parts: ConnectionParts;
  private readonly settings: SettingsSync;
  private readonly drain: Drain;

  constructor(parts: ConnectionParts, settings: SettingsSync, drain: Drain) {
    this.parts = parts;
    this.settings = settings;
    this.drain = drain;
  }

  /** A client speaks first; a server waits for the preface, so that another protocol can be answered in its own words. */
  start(nowMs: number): void {
    const { parts } = this;
    parts.nowMs = nowMs;
    this.settings.handshakeDeadlineMs = nowMs + parts.options.handshakeTimeoutMs;
    if (parts.role === "server") return;
    this.write(CLIENT_PREFACE);
    this.send();
  }

  /** SETTINGS first, then the connection window at its full size. */
  send(): void {
    const { parts, settings, drain } = this;
    settings.sendInitial(parts.nowMs);
    const extra = parts.options.connectionWindowBytes - DEFAULT_WINDOW_BYTES;
    if (extra > 0) parts.writeWindowUpdate(0, extra);
    drain.onOpeningSent(parts.nowMs);
  }

  onBadPreface(firstOctets: Buffer): void {
    const { parts } = this;
    if (!looksLikeHttp1(firstOctets)) {
      parts.fail(BAD_PREFACE);
      return;
    }
    this.write(HTTP1_RESPONSE);
    parts.outputWritten();
    parts.close(HTTP1_REQUEST);
  }

  /** What another protocol begins with has a length field too, as frames are read. */
  onOversizedFrame(length: number): void {
    this.parts.fail(this.foreignAnswer(length) ?? FRAME_TOO_LARGE);
  }

  /** Before SETTINGS a server may speak anything. A TLS alert is shorter than the header of a frame, and then it closes. */
  foreignAnswer(frameLength: number): Fault | undefined {
    const isAwaited = this.parts.role === "client" && !this.settings.remoteReceived;
    return isAwaited ? foreignAnswer(frameLength) : undefined;
  }

  private write(octets: Buffer): void {
    const { output } = this.parts;
    output.ensure(octets.length);
    output.length += octets.copy(output.bytes, output.length);
  }
}
