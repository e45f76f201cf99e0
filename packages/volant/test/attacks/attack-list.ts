/**
 * Every attack on the HTTP/2 core that is known here, in the order of `docs/limits.md`.
 */
import type { Attack } from "./attack.ts";
import { CONTROL_ATTACKS } from "./control-attacks.ts";
import { DATA_ATTACKS } from "./data-attacks.ts";
import { HEADER_ATTACKS } from "./header-attacks.ts";
import { STALL_ATTACKS } from "./stall-attacks.ts";
import { STREAM_ATTACKS } from "./stream-attacks.ts";

export const ATTACKS: readonly Attack[] = [
  ...STREAM_ATTACKS,
  ...HEADER_ATTACKS,
  ...CONTROL_ATTACKS,
  ...DATA_ATTACKS,
  ...STALL_ATTACKS,
];
