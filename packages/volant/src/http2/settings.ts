/**
 * What SETTINGS parameters mean. Owns the one table of them: number, default, legal range, and the error an illegal
 * value is answered with. RFC 9113 §6.5.2; SETTINGS_NO_RFC7540_PRIORITIES is RFC 9218 §2.1.
 */
import { ErrorCode } from "./error-code.ts";
import { connectionFault, type Fault } from "./fault.ts";
import { DEFAULT_MAX_FRAME_BYTES, MAX_FRAME_BYTES } from "./frame-type.ts";

export const SettingId = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
  NO_RFC7540_PRIORITIES: 0x9,
} as const;

/** The value of a parameter that has no limit until a peer names one. */
export const UNLIMITED = 0xffff_ffff;

interface SettingRule {
  readonly initial: number;
  readonly min: number;
  readonly max: number;
  readonly illegal: Fault;
}

function rule(name: string, initial: number, min: number, max: number, code: number = ErrorCode.PROTOCOL_ERROR) {
  return { initial, min, max, illegal: connectionFault(code, `settings-${name}`) } satisfies SettingRule;
}

const RULES: ReadonlyMap<number, SettingRule> = new Map([
  [SettingId.HEADER_TABLE_SIZE, rule("header-table-size", 4096, 0, UNLIMITED)],
  [SettingId.ENABLE_PUSH, rule("enable-push", 1, 0, 1)],
  [SettingId.MAX_CONCURRENT_STREAMS, rule("max-concurrent-streams", UNLIMITED, 0, UNLIMITED)],
  // RFC 9113 §6.5.2: above 2^31-1 is a FLOW_CONTROL_ERROR.
  [SettingId.INITIAL_WINDOW_SIZE, rule("initial-window-size", 65_535, 0, 0x7fff_ffff, ErrorCode.FLOW_CONTROL_ERROR)],
  [SettingId.MAX_FRAME_SIZE, rule("max-frame-size", DEFAULT_MAX_FRAME_BYTES, DEFAULT_MAX_FRAME_BYTES, MAX_FRAME_BYTES)],
  [SettingId.MAX_HEADER_LIST_SIZE, rule("max-header-list-size", UNLIMITED, 0, UNLIMITED)],
  [SettingId.NO_RFC7540_PRIORITIES, rule("no-rfc7540-priorities", 0, 0, 1)],
]);

/** The parameters of one side, at their protocol defaults until that side names others. */
export class SettingValues {
  headerTableBytes = 4096;
  enablePush = 1;
  maxConcurrentStreams: number = UNLIMITED;
  initialWindowBytes = 65_535;
  maxFrameBytes: number = DEFAULT_MAX_FRAME_BYTES;
  maxHeaderListBytes: number = UNLIMITED;

  /** Takes one parameter, or says why it is illegal. RFC 9113 §6.5.2: unknown parameters are ignored. */
  apply(id: number, value: number): Fault | undefined {
    const rule = RULES.get(id);
    if (rule === undefined) return undefined;
    if (value < rule.min || value > rule.max) return rule.illegal;
    this.store(id, value);
    return undefined;
  }

  private store(id: number, value: number): void {
    switch (id) {
      case SettingId.HEADER_TABLE_SIZE:
        this.headerTableBytes = value;
        break;
      case SettingId.ENABLE_PUSH:
        this.enablePush = value;
        break;
      case SettingId.MAX_CONCURRENT_STREAMS:
        this.maxConcurrentStreams = value;
        break;
      case SettingId.INITIAL_WINDOW_SIZE:
        this.initialWindowBytes = value;
        break;
      case SettingId.MAX_FRAME_SIZE:
        this.maxFrameBytes = value;
        break;
      case SettingId.MAX_HEADER_LIST_SIZE:
        this.maxHeaderListBytes = value;
        break;
    }
  }
}
