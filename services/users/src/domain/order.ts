/** The order of a listing: `sort_by` as text and as the storage takes it. One spelling for each order (see `orderText`). */

import { SORT_FIELDS, type SortField, type UserOrder } from "../storage/user-store.ts";
import { invalidArgument } from "./errors.ts";
import { quoted } from "./text.ts";

export const DEFAULT_ORDER: UserOrder = { field: "created_at", descending: true };

/** `field` or `field desc`; nothing means the newest first. Throws INVALID_ARGUMENT. */
export function parseOrder(sortBy: string): UserOrder {
  // A longer text cannot be an order; not splitting it keeps a megabyte of it cheap.
  const [field, direction, ...rest] = sortBy.length > 64 ? [sortBy] : sortBy.trim().split(/\s+/);
  if (field === undefined || field === "") return DEFAULT_ORDER;
  if (!isSortField(field) || rest.length > 0 || (direction !== undefined && direction !== "desc")) {
    const description = `must be one of ${SORT_FIELDS.join(", ")}, optionally followed by " desc", not ${quoted(sortBy)}`;
    throw invalidArgument(`sort_by ${description}`, { sort_by: description });
  }
  return { field, descending: direction === "desc" };
}

export function orderText(order: UserOrder): string {
  return order.descending ? `${order.field} desc` : order.field;
}

function isSortField(field: string): field is SortField {
  return (SORT_FIELDS as readonly string[]).includes(field);
}
