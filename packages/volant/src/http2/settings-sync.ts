/**
 * The exchange of SETTINGS: ours sent and acknowledged, the peer's applied and acknowledged. Owns both directions'
 * progress; what a value means is in `settings.ts`. RFC 9113 §6.5, §6.5.3, §6.9.2.
 */
import type { ConnectionParts } from "./connection-parts.ts";
import { ErrorCode } from "./error-code.ts";
import { connectionFault, type Fault } from "./fault.ts";
import { FRAME_HEADER_BYTES, FrameFlag } from "./frame-type.ts";
import { readUint32 } from "./frames/frame-header.ts";
import { checkSettings, SETTINGS_ENTRY_BYTES, writeSettings, writeSettingsAck } from "./frames/settings.ts";
import { MAX_SENT_LIST_BYTES } from "./options.ts";
import type { SendPath } from "./send-path.ts";
import { SettingId, UNLIMITED } from "./settings.ts";

const TOO_MANY_ENTRIES = connectionFault(ErrorCode.ENHANCE_YOUR_CALM, "settings-too-many-entries");
const UNPROVOKED_ACK = connectionFault(ErrorCode.PROTOCOL_ERROR, "settings-ack-without-settings");
const WINDOW_OVERFLOW = connectionFault(ErrorCode.FLOW_CONTROL_ERROR, "settings-window-overflow");
const SERVER_ENABLES_PUSH = connectionFault(ErrorCode.PROTOCOL_ERROR, "settings-enable-push-from-server");

export class SettingsSync {
  remoteReceived = false;
  /** When the peer's first SETTINGS must be here, and a client's preface before them; Infinity once they are. */
  handshakeDeadlineMs = Number.POSITIVE_INFINITY;
  /** When our SETTINGS must be acknowledged; Infinity once they are. */
  ackDeadlineMs = Number.POSITIVE_INFINITY;
  private awaitingAck = false;
  /** The peer keeps to our values. */
  isAcknowledged = false;
  private readonly parts: ConnectionParts;
  private readonly sender: SendPath;

  constructor(parts: ConnectionParts, sender: SendPath) {
    this.parts = parts;
    this.sender = sender;
  }

  sendInitial(nowMs: number): void {
    const { options, output, role } = this.parts;
    const entries: [number, number][] = [
      [SettingId.HEADER_TABLE_SIZE, options.headerTableBytes],
      [SettingId.INITIAL_WINDOW_SIZE, options.initialStreamWindowBytes],
      [SettingId.MAX_FRAME_SIZE, options.maxFrameBytes],
      [SettingId.MAX_HEADER_LIST_SIZE, options.maxHeaderListBytes],
      [SettingId.NO_RFC7540_PRIORITIES, 1],
    ];
    if (role === "client") entries.push([SettingId.ENABLE_PUSH, 0]);
    else entries.push([SettingId.MAX_CONCURRENT_STREAMS, options.maxConcurrentStreams]);
    output.ensure(FRAME_HEADER_BYTES + entries.length * SETTINGS_ENTRY_BYTES);
    output.length = writeSettings(output.bytes, output.length, entries);
    this.parts.isOpeningSent = true;
    this.awaitingAck = true;
    this.ackDeadlineMs = nowMs + options.settingsAckTimeoutMs;
    this.parts.outputWritten();
  }

  onFrame(bytes: Buffer, start: number, length: number, flags: number, streamId: number): boolean {
    const fault = checkSettings(length, flags, streamId);
    if (fault !== undefined) return this.fail(fault);
    if ((flags & FrameFlag.ACK) !== 0) return this.onAck();
    if (length > this.parts.options.maxSettingsEntries * SETTINGS_ENTRY_BYTES) return this.fail(TOO_MANY_ENTRIES);
    // Each may touch every stream. The first is part of the handshake.
    if (this.remoteReceived && !this.parts.charge("settings")) return false;
    for (let at = start; at < start + length; at += SETTINGS_ENTRY_BYTES) {
      const id = (bytes[at]! << 8) | bytes[at + 1]!;
      const illegal = this.apply(id, readUint32(bytes, at + 2));
      if (illegal !== undefined) return this.fail(illegal);
    }
    this.remoteReceived = true;
    this.handshakeDeadlineMs = Number.POSITIVE_INFINITY;
    if (!this.acknowledge()) return false;
    // Behind the acknowledgement, so that no octet goes out on a window that the peer may not count with yet.
    this.sender.pump();
    this.parts.sink.onSettings();
    return !this.parts.isClosed;
  }

  private apply(id: number, value: number): Fault | undefined {
    const { remote, role, encoder } = this.parts;
    const windowBefore = remote.initialWindowBytes;
    const illegal = remote.apply(id, value);
    if (illegal !== undefined) return illegal;
    if (id === SettingId.HEADER_TABLE_SIZE) encoder.setPeerTableBytes(value);
    if (id === SettingId.MAX_HEADER_LIST_SIZE) this.limitLists(value);
    // RFC 9113 §6.5.2: a server never sets ENABLE_PUSH to 1.
    if (id === SettingId.ENABLE_PUSH && role === "client" && value === 1) return SERVER_ENABLES_PUSH;
    return id === SettingId.INITIAL_WINDOW_SIZE ? this.adjustWindows(value - windowBefore) : undefined;
  }

  private limitLists(bytes: number): void {
    const { options, peerLists } = this.parts;
    peerLists.isNamed = bytes !== UNLIMITED;
    peerLists.bytes = peerLists.isNamed ? Math.min(bytes, MAX_SENT_LIST_BYTES) : options.maxSentHeaderListBytes;
  }

  /** RFC 9113 §6.9.2: a change applies to every stream, and may leave a window negative. */
  private adjustWindows(delta: number): Fault | undefined {
    if (delta === 0) return undefined;
    for (const stream of this.parts.streams.values()) {
      if (!stream.sendWindow.adjust(delta)) return WINDOW_OVERFLOW;
      this.sender.windowOpened(stream);
    }
    return undefined;
  }

  private acknowledge(): boolean {
    const { output } = this.parts;
    output.ensure(FRAME_HEADER_BYTES);
    output.length = writeSettingsAck(output.bytes, output.length);
    return this.parts.answerProvoked("settings");
  }

  private onAck(): boolean {
    if (!this.awaitingAck) return this.fail(UNPROVOKED_ACK);
    this.awaitingAck = false;
    this.isAcknowledged = true;
    this.ackDeadlineMs = Number.POSITIVE_INFINITY;
    this.enforceOurs();
    return true;
  }

  /** RFC 9113 §6.5.3: from its acknowledgement on the peer keeps to our values where they are below the defaults. */
  private enforceOurs(): void {
    const { parts } = this;
    const { initialStreamWindowBytes, headerTableBytes } = parts.options;
    parts.decoder.setMaxTableBytes(headerTableBytes);
    if (parts.streamWindowBytes === initialStreamWindowBytes) return;
    parts.streamWindowBytes = initialStreamWindowBytes;
    for (const stream of parts.streams.values()) {
      const increment = stream.receiveWindow.resize(initialStreamWindowBytes);
      if (increment > 0 && !stream.isRemoteDone) parts.writeWindowUpdate(stream.id, increment);
    }
  }

  private fail(fault: Fault): boolean {
    this.parts.fail(fault);
    return false;
  }
}
