/**
 * What Postgres can hold. Owns the checks that run before SQL is sent, because one bad value would otherwise fail a
 * whole batch of strangers' statements; knows no business rule (an email need not look like one here).
 *
 * Rules: text has no U+0000 and no lone surrogate; an indexed text fits in a third of an 8 KiB page, of which we allow
 * 1 KiB so that two of them fit.
 */
import { Buffer } from "node:buffer";
import { UnstorableValueError } from "./storage-error.ts";
import type { NewUser, UserChange } from "./user-store.ts";

/** Longest text that goes into an index (email, name, request id, room id), in bytes of UTF-8. */
export const MAX_INDEXED_BYTES = 1024;

/** False for text that no row can contain, so a search for it finds nothing. */
export function isStorableText(value: string): boolean {
  return !value.includes("\0") && value.isWellFormed();
}

export function assertStorableText(field: string, value: string): void {
  if (!isStorableText(value)) throw new UnstorableValueError(field, "must not contain U+0000 or a lone surrogate");
}

export function assertIndexedText(field: string, value: string): void {
  assertStorableText(field, value);
  const worstBytes = value.length * 3;
  if (worstBytes > MAX_INDEXED_BYTES && Buffer.byteLength(value) > MAX_INDEXED_BYTES) {
    throw new UnstorableValueError(field, `must be at most ${MAX_INDEXED_BYTES} bytes long`);
  }
}

export function assertStorableUser(user: NewUser): void {
  assertStorableChange(user);
  if (user.requestId !== undefined) assertIndexedText("request_id", user.requestId);
}

export function assertStorableChange(change: UserChange): void {
  if (change.email !== undefined) assertIndexedText("email", change.email);
  if (change.name !== undefined) assertIndexedText("name", change.name);
  for (const role of change.roles ?? []) assertStorableText("roles", role);
  for (const [key, value] of Object.entries(change.metadata ?? {})) {
    assertStorableText("metadata", key);
    assertStorableText("metadata", value);
  }
}
