/** CreateUser, UpdateUser, DeleteUser: validate, ask the storage, answer for each outcome. */

import { emailTaken, etagMismatch, requestMismatch, userNotFound } from "../domain/errors.ts";
import { requesterOf } from "../domain/requester-of-call.ts";
import { canBeUserId, newUserViolations, requireUserId, toNewUser, toUserChange } from "../domain/user-input.ts";
import { toUserMessage } from "../domain/user-message.ts";
import type { Requester } from "../storage/requester.ts";
import type { UpdateOutcome, UserChange, UserStore } from "../storage/user-store.ts";
import type { UserHandlers } from "./handler-types.ts";
import { TEXTS } from "./texts.ts";

type WriteHandlers = Pick<UserHandlers, "createUser" | "updateUser" | "deleteUser">;

/** `onUserDeleted` hears of every user that is gone. */
export function createWriteHandlers(users: UserStore, onUserDeleted: (userId: string) => void): WriteHandlers {
  return {
    async createUser(request, call) {
      newUserViolations(request).throwIfAny();
      const outcome = await users.create(toNewUser(request), requesterOf(call));
      switch (outcome.kind) {
        case "created":
          return { user: toUserMessage(outcome.user), message: TEXTS.created };
        case "email-taken":
          throw emailTaken(request.email);
        case "request-mismatch":
          throw requestMismatch();
      }
    },

    async updateUser(request, call) {
      const { userId, etag } = request;
      requireUserId(userId);
      const change = toUserChange(request);
      if (!canBeUserId(userId)) throw userNotFound(userId);
      const outcome = await update(users, userId, change, etag === "" ? undefined : etag, requesterOf(call));
      switch (outcome.kind) {
        case "updated":
          return { user: toUserMessage(outcome.user), message: TEXTS.updated };
        case "not-found":
          throw userNotFound(userId);
        case "email-taken":
          throw emailTaken(request.email);
        case "etag-mismatch":
          throw etagMismatch(userId);
      }
    },

    async deleteUser({ userId }, call) {
      requireUserId(userId);
      if (!canBeUserId(userId) || !(await users.delete(userId, requesterOf(call)))) throw userNotFound(userId);
      onUserDeleted(userId);
      return {};
    },
  };
}

/** An update of nothing changes nothing, the etag and updated_at included, but answers like any other. */
async function update(
  users: UserStore,
  id: string,
  change: UserChange,
  etag: string | undefined,
  requester: Requester,
): Promise<UpdateOutcome> {
  if (Object.keys(change).length > 0) return users.update(id, change, etag, requester);
  const user = await users.find(id, requester);
  if (user === undefined) return { kind: "not-found" };
  return etag === undefined || etag === user.etag ? { kind: "updated", user } : { kind: "etag-mismatch" };
}
