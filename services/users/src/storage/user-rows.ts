/**
 * A user as SQL gives it and takes it. Owns the column list and the conversions; knows no statement.
 *
 * Invariant: what engines represent differently (bigint, timestamptz, jsonb) crosses as text, and times keep every
 * microsecond.
 */
import type { NewUser, UserRecord, UserSummary } from "./user-store.ts";

export interface SummaryRow {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly roles: string[];
  readonly created_micros: string;
  readonly updated_micros: string;
  readonly version: string;
}

export interface UserRow extends SummaryRow {
  readonly metadata: string;
}

/** Microseconds since the epoch, exactly: `extract` gives a numeric. */
export function microsOf(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000000)::bigint::text`;
}

/** The time that many microseconds after the epoch. Exact up to the year 2255, where doubles end. */
export function timeOfMicros(param: string): string {
  return `timestamptz 'epoch' + ${param}::bigint * interval '1 microsecond'`;
}

export const SUMMARY_COLUMNS = `id, email, name, roles,
  ${microsOf("created_at")} AS created_micros, ${microsOf("updated_at")} AS updated_micros, version::text AS version`;

export const USER_COLUMNS = `${SUMMARY_COLUMNS}, metadata::text AS metadata`;

export function toUserRecord(row: UserRow): UserRecord {
  return { ...toUserSummary(row), metadata: JSON.parse(row.metadata) as Record<string, string> };
}

export function toUserSummary(row: SummaryRow): UserSummary {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    roles: row.roles,
    createdAtMicros: BigInt(row.created_micros),
    updatedAtMicros: BigInt(row.updated_micros),
    etag: row.version,
  };
}

/** A user as it was when `user` created it; what a repeated request gets, without keeping a copy of it. */
export function asCreated(user: NewUser, id: string, createdMicros: string): UserRecord {
  const micros = BigInt(createdMicros);
  return {
    id,
    email: user.email,
    name: user.name,
    roles: [...user.roles],
    metadata: { ...user.metadata },
    createdAtMicros: micros,
    updatedAtMicros: micros,
    etag: "1",
  };
}
