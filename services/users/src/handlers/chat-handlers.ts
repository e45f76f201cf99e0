/** UserChat: one `ChatSession` a stream, given to the reader as messages of the contract. */

import { type ChatLimits, ChatSession } from "../domain/chat/chat-session.ts";
import { QueueBudget } from "../domain/chat/queue-budget.ts";
import type { RoomHub } from "../domain/chat/room-hub.ts";
import type { Identity } from "../domain/identity.ts";
import { requesterOf } from "../domain/requester-of-call.ts";
import { toChatMessage } from "../domain/user-message.ts";
import type { UserHandlers } from "./handler-types.ts";

export function createChatHandlers(
  hub: RoomHub,
  identity: Identity,
  limits: ChatLimits,
): Pick<UserHandlers, "userChat"> {
  const bounds = { limits, budget: new QueueBudget(limits.maxTotalQueuedBytes) };
  return {
    async *userChat(messages, call) {
      const party = { caller: identity.callerOf(call), requester: requesterOf(call) };
      const session = new ChatSession(hub, party, bounds, (error) => call.cancel(error));
      const close = (): void => session.close();
      // A generator that waits for a message cannot be stopped from outside: the end of the call wakes it.
      call.signal.addEventListener("abort", close, { once: true });
      try {
        session.start(messages);
        for await (const message of session) yield toChatMessage(message);
      } finally {
        call.signal.removeEventListener("abort", close);
      }
    },
  };
}
