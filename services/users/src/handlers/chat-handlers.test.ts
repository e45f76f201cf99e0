import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { handlerCall } from "../../test/support/handler-call.ts";
import { MemoryMessageStore, MemoryUserStore } from "../../test/support/memory-storage.ts";
import { Outbox } from "../../test/support/outbox.ts";
import { chatMessage } from "../../test/support/requests.ts";
import { DEFAULT_CHAT_LIMITS } from "../domain/chat/chat-session.ts";
import { LocalRoomBus } from "../domain/chat/room-bus.ts";
import { RoomHub } from "../domain/chat/room-hub.ts";
import { claimedIdentity } from "../domain/identity.ts";
import type { ChatMessage } from "../gen/user_pb.ts";
import { createChatHandlers } from "./chat-handlers.ts";

function chat() {
  const hub = new RoomHub(new MemoryMessageStore(), new MemoryUserStore(), new LocalRoomBus());
  const controller = new AbortController();
  const outbox = new Outbox<ChatMessage>();
  const { userChat } = createChatHandlers(hub, claimedIdentity, DEFAULT_CHAT_LIMITS);
  const stream = userChat(outbox, handlerCall(controller.signal)) as AsyncIterable<Record<string, unknown>>;
  return { hub, controller, outbox, iterator: stream[Symbol.asyncIterator]() };
}

describe("UserChat", () => {
  it("gives messages of the contract, stamped with sender, time and sequence", async () => {
    const { outbox, iterator } = chat();
    outbox.send(chatMessage({ roomId: "r", content: "hi", sequence: 99n })).end();
    assert.deepEqual((await iterator.next()).value, {
      userId: "anonymous",
      content: "hi",
      timestamp: { seconds: 1_700_000_000n, nanos: 1000 },
      roomId: "r",
      sequence: 1n,
    });
    assert.ok((await iterator.next()).done);
  });

  it("lets go of everything when the call ends while it waits for a message", async () => {
    const { hub, controller, outbox, iterator } = chat();
    outbox.send(chatMessage({ roomId: "r", content: "hi" }));
    await iterator.next();
    const waiting = iterator.next();
    controller.abort();
    assert.ok((await waiting).done);
    assert.equal(hub.openRooms, 0);
  });

  it("lets go of everything when the reader stops", async () => {
    const { hub, outbox, iterator } = chat();
    outbox.send(chatMessage({ roomId: "r", content: "hi" }));
    await iterator.next();
    await iterator.return?.();
    assert.equal(hub.openRooms, 0);
  });
});
