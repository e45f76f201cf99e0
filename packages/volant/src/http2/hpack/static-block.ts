/**
 * Header blocks that touch no dynamic table: constant octets, valid on every connection at any time that no size
 * update is due. Buys response headers and trailers sent as copies of a template. RFC 7541 §6.1, §6.2.2, §6.2.3.
 */
import { fieldsBound, Indexing, type OutboundField, writeIndexed, writeLiteral } from "./outbound-field.ts";
import { STATIC_NAMES } from "./static-table.ts";

/** INCREMENTAL counts as WITHOUT here. Throws a UsageError for a name or value with a character above 0xFF. */
export function encodeStaticBlock(fields: readonly OutboundField[]): Buffer {
  const room = Buffer.allocUnsafe(fieldsBound(fields));
  let offset = 0;
  for (const field of fields) offset = writeStaticField(field, room, offset);
  const block = Buffer.allocUnsafeSlow(offset);
  room.copy(block, 0, 0, offset);
  return block;
}

function writeStaticField(field: OutboundField, target: Uint8Array, offset: number): number {
  const known = STATIC_NAMES.get(field.name);
  if (field.indexing === Indexing.NEVER) return writeLiteral(target, offset, known?.index ?? 0, field, Indexing.NEVER);
  const index = known?.values.get(field.value);
  if (index !== undefined) return writeIndexed(target, offset, index);
  return writeLiteral(target, offset, known?.index ?? 0, field, Indexing.WITHOUT);
}
