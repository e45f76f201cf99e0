/** GetUser, ListUsers, StreamUsers: nothing changes, so a client may repeat them. Validate, ask the storage, answer. */

import { userNotFound } from "../domain/errors.ts";
import type { PageTokens } from "../domain/page-token.ts";
import { nextPageToken, planList, planStream } from "../domain/paging.ts";
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
    async getUser({ userId, includeMetadata }) {
      requireUserId(userId);
      const user = canBeUserId(userId) ? await users.find(userId) : undefined;
      if (user === undefined) throw userNotFound(userId);
      return { user: toUserMessage(user, includeMetadata), message: TEXTS.retrieved };
    },

    async listUsers(request, call) {
      const plan = planList(request, tokens);
      // One more than the page holds: whether it comes says if there is a next page.
      const [found, total] = await Promise.all([
        users.list(plan.query, plan.pageSize + 1, call.signal),
        users.count(plan.query.filter, call.signal),
      ]);
      const page = found.slice(0, plan.pageSize);
      const last = page.at(-1);
      return {
        users: page.map((user) => toUserMessage(user, false)),
        totalCount: Math.min(total, MAX_INT32),
        page: plan.page,
        pageSize: plan.pageSize,
        nextPageToken: found.length > page.length && last !== undefined ? nextPageToken(plan, last, tokens) : "",
      };
    },

    async *streamUsers(request, call) {
      const plan = planStream(request, tokens);
      for await (const batch of users.scan(plan.query, plan.limit, call.signal)) {
        for (const user of batch) yield { user: toUserMessage(user, false), message: TEXTS.streamed };
      }
    },
  };
}
