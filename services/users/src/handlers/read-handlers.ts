/**
 * GetUser, ListUsers, StreamUsers: nothing changes, so a client may repeat them. Validate, ask the storage for what the answer
 * has and no more, answer.
 */

import { userNotFound } from "../domain/errors.ts";
import type { PageTokens } from "../domain/page-token.ts";
import { nextPageToken, planList, planStream } from "../domain/paging.ts";
import { requesterOf } from "../domain/requester-of-call.ts";
import { canBeUserId, requireUserId } from "../domain/user-input.ts";
import { toUserMessage } from "../domain/user-message.ts";
import type { UserStore } from "../storage/user-store.ts";
import type { UserHandlers } from "./handler-types.ts";
import { TEXTS } from "./texts.ts";

/** `total_count` travels as an int32. */
const MAX_INT32 = 2 ** 31 - 1;

type ReadHandlers = Pick<UserHandlers, "getUser" | "listUsers" | "streamUsers">;

export function createReadHandlers(users: UserStore, tokens: PageTokens): ReadHandlers {
  return {
    async getUser({ userId, includeMetadata }, call) {
      requireUserId(userId);
      if (!canBeUserId(userId)) throw userNotFound(userId);
      const requester = requesterOf(call);
      const user = await (includeMetadata ? users.find(userId, requester) : users.findSummary(userId, requester));
      if (user === undefined) throw userNotFound(userId);
      return { user: toUserMessage(user), message: TEXTS.retrieved };
    },

    async listUsers(request, call) {
      const plan = planList(request, tokens);
      const requester = requesterOf(call);
      // One more than the page holds: whether it comes says if there is a next page.
      const [found, total] = await Promise.all([
        users.list(plan.query, plan.pageSize + 1, requester),
        users.count(plan.query.filter, requester),
      ]);
      const page = found.slice(0, plan.pageSize);
      const last = page.at(-1);
      return {
        users: page.map((user) => toUserMessage(user)),
        totalCount: Math.min(total, MAX_INT32),
        page: plan.page,
        pageSize: plan.pageSize,
        nextPageToken: found.length > page.length && last !== undefined ? nextPageToken(plan, last, tokens) : "",
      };
    },

    async *streamUsers(request, call) {
      const plan = planStream(request, tokens);
      for await (const batch of users.scan(plan.query, plan.limit, requesterOf(call))) {
        for (const user of batch) yield { user: toUserMessage(user), message: TEXTS.streamed };
      }
    },
  };
}
