/**
 * Ids of new users: UUID version 7 (RFC 9562 §5.7), made here so that a row's id is known before it is written. Owns
 * the layout and the order; time-ordered ids keep inserts at the right edge of the primary key.
 *
 * Invariant: ids of one process increase, also within a millisecond (RFC 9562 §6.2, fixed-length counter in rand_a) and
 * when the clock steps back.
 */
import { randomBytes } from "node:crypto";

const COUNTER_BITS = 12;
const COUNTER_LIMIT = 1 << COUNTER_BITS;

let lastMs = 0;
let counter = 0;

export function createUserId(nowMs: number = Date.now()): string {
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = 0;
  } else if (++counter === COUNTER_LIMIT) {
    lastMs++;
    counter = 0;
  }
  const bytes = randomBytes(16);
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | counter, 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
