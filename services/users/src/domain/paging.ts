/**
 * What a ListUsersRequest asks for, as the storage takes it. Owns the meaning of page, page_size and page_token in both
 * ListUsers and StreamUsers; knows no handler. Where a token is given it decides the place and `page` is not looked at.
 */

import type { ListUsersRequest } from "../gen/user_pb.ts";
import { isStorableText } from "../storage/storable.ts";
import type { UserCursor, UserOrder, UserQuery, UserSummary } from "../storage/user-store.ts";
import { LIMITS } from "./limits.ts";
import { parseOrder } from "./order.ts";
import type { PageTokens } from "./page-token.ts";
import { isLongerThan } from "./text.ts";
import { Violations } from "./violations.ts";

/** `page` travels as an int32. */
const MAX_INT32 = 2 ** 31 - 1;

export interface ListPlan {
  readonly query: UserQuery;
  /** 1-based. */
  readonly page: number;
  readonly pageSize: number;
}

export interface StreamPlan {
  readonly query: UserQuery;
  /** 0: every match. */
  readonly limit: number;
}

/** page_size 0 means 50, above 1000 means 1000. Throws INVALID_ARGUMENT. */
export function planList(request: ListUsersRequest, tokens: PageTokens): ListPlan {
  checkListing(request);
  const pageSize = listPageSize(request.pageSize);
  const { query, page } = place(request, pageSize, tokens);
  return { query, page, pageSize };
}

/** page_size 0 streams every match, N at most N, without a cap; a page number skips pages of ListUsers' default size
 * where page_size is 0. Throws INVALID_ARGUMENT. */
export function planStream(request: ListUsersRequest, tokens: PageTokens): StreamPlan {
  checkListing(request);
  const { query } = place(request, request.pageSize === 0 ? LIMITS.defaultPageSize : request.pageSize, tokens);
  return { query, limit: request.pageSize };
}

/** The token for what follows `last`. */
export function nextPageToken(plan: ListPlan, last: UserSummary, tokens: PageTokens): string {
  const { filter, order } = plan.query;
  return tokens.seal({ page: Math.min(plan.page + 1, MAX_INT32), after: cursorAt(last, order) }, filter, order);
}

export function cursorAt(user: UserSummary, order: UserOrder): UserCursor {
  switch (order.field) {
    case "created_at":
      return { value: user.createdAtMicros.toString(), id: user.id };
    case "updated_at":
      return { value: user.updatedAtMicros.toString(), id: user.id };
    case "name":
      return { value: user.name, id: user.id };
    case "email":
      return { value: user.email, id: user.id };
  }
}

function listPageSize(pageSize: number): number {
  return pageSize === 0 ? LIMITS.defaultPageSize : Math.min(pageSize, LIMITS.maxPageSize);
}

function place(request: ListUsersRequest, skipSize: number, tokens: PageTokens): { query: UserQuery; page: number } {
  const { filter } = request;
  const order = parseOrder(request.sortBy);
  if (request.pageToken !== "") {
    const { page, after } = tokens.open(request.pageToken, filter, order);
    return { query: { filter, order, after }, page };
  }
  const page = Math.max(request.page, 1);
  if (page === 1) return { query: { filter, order }, page };
  return { query: { filter, order, skip: Math.min((page - 1) * skipSize, Number.MAX_SAFE_INTEGER) }, page };
}

function checkListing(request: ListUsersRequest): void {
  const violations = new Violations();
  if (request.page < 0) violations.add("page", `must be 1 or more (0 means 1), not ${request.page}`);
  if (request.pageSize < 0) violations.add("page_size", `must not be negative, ${request.pageSize} was given`);
  if (isLongerThan(request.filter, LIMITS.filterChars) || !isStorableText(request.filter)) {
    violations.add("filter", `must have at most ${LIMITS.filterChars} characters and no U+0000`);
  }
  violations.throwIfAny();
}
