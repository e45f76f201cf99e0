/**
 * Packed lists of 64-bit values and floats. Hot path: a `DataView` over the list reads such a value in one load. Put together from
 * two words it has to wait until the processor has stored them both, which takes ten times as long.
 *
 * Invariant: nothing at or behind `limit` is read. As in protobuf-es the last value may go on behind the end of the list.
 */
import type { ScalarName } from "./plan.ts";
import { cursor, truncated } from "./varint.ts";

type Get = (view: DataView, at: number) => unknown;
type ReadPacked = (list: unknown[] | undefined, bytes: Uint8Array, at: number, end: number, limit: number) => unknown[];

export const readPackedDouble: ReadPacked = (list, bytes, at, end, limit) => {
  const view = viewOf(bytes, at, end, limit, 8);
  const count = view.byteLength >>> 3;
  if (list !== undefined) return append(list, view, 8, (from, offset) => from.getFloat64(offset, true));
  const values = new Array<number>(count);
  for (let i = 0; i < count; i++) values[i] = view.getFloat64(i << 3, true);
  return values;
};

export const readPackedFloat: ReadPacked = (list, bytes, at, end, limit) => {
  const view = viewOf(bytes, at, end, limit, 4);
  const count = view.byteLength >>> 2;
  if (list !== undefined) return append(list, view, 4, (from, offset) => from.getFloat32(offset, true));
  const values = new Array<number>(count);
  for (let i = 0; i < count; i++) values[i] = view.getFloat32(i << 2, true);
  return values;
};

export const readPackedFixed64: ReadPacked = (list, bytes, at, end, limit) => {
  const view = viewOf(bytes, at, end, limit, 8);
  return append(list ?? [], view, 8, (from, offset) => from.getBigUint64(offset, true));
};

export const readPackedSfixed64: ReadPacked = (list, bytes, at, end, limit) => {
  const view = viewOf(bytes, at, end, limit, 8);
  return append(list ?? [], view, 8, (from, offset) => from.getBigInt64(offset, true));
};

/** The types that have a reader here. */
export const PACKED_READERS: Readonly<Partial<Record<ScalarName, string>>> = {
  double: "readPackedDouble",
  float: "readPackedFloat",
  fixed64: "readPackedFixed64",
  sfixed64: "readPackedSfixed64",
};

/** How many varints begin before `end`: a list of that size does not have to grow. */
export function countVarints(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return 0;
  let count = bytes[end - 1]! >>> 7;
  for (let position = at; position < end; position++) count += (bytes[position]! >>> 7) ^ 1;
  return count;
}

/** Over whole values of `size` octets. Sets {@link cursor}. */
function viewOf(bytes: Uint8Array, at: number, end: number, limit: number, size: number): DataView {
  const length = Math.ceil((end - at) / size) * size;
  if (limit - at < length) truncated();
  cursor.position = at + length;
  return new DataView(bytes.buffer, bytes.byteOffset + at, length);
}

function append(list: unknown[], view: DataView, size: number, get: Get): unknown[] {
  for (let offset = 0; offset < view.byteLength; offset += size) list.push(get(view, offset));
  return list;
}
