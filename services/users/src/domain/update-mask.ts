/**
 * Which fields an update changes (google.protobuf.FieldMask, AIP-134). Invariant: only fields a caller may change are
 * ever named, each at most once.
 */

import type { UpdateUserRequest } from "../gen/user_pb.ts";
import { invalidArgument } from "./errors.ts";
import { quoted } from "./text.ts";

export const MUTABLE_FIELDS = ["email", "name", "roles", "metadata"] as const;
export type MutableField = (typeof MUTABLE_FIELDS)[number];

/** Throws INVALID_ARGUMENT for a path that is not one of `MUTABLE_FIELDS`. */
export function changedFields(request: UpdateUserRequest): MutableField[] {
  const paths = request.updateMask?.paths ?? [];
  if (paths.length === 0) return MUTABLE_FIELDS.filter((field) => !isDefault(request[field]));
  for (const path of paths) {
    if (!isMutableField(path)) throw unknownPath(path);
  }
  return MUTABLE_FIELDS.filter((field) => paths.includes(field));
}

function isMutableField(path: string): path is MutableField {
  return (MUTABLE_FIELDS as readonly string[]).includes(path);
}

function isDefault(value: string | readonly string[] | Readonly<Record<string, string>>): boolean {
  return typeof value === "string" ? value === "" : Object.keys(value).length === 0;
}

function unknownPath(path: string): Error {
  const description = `has the unknown path ${quoted(path)}: allowed are ${MUTABLE_FIELDS.join(", ")}`;
  return invalidArgument(`update_mask ${description}`, { update_mask: description });
}
