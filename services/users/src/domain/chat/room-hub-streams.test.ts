/** Which streams a hub ends, and when. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StatusCode } from "volant";
import { MemoryMessageStore, MemoryUserStore } from "../../../test/support/memory-storage.ts";
import { fault } from "../../../test/support/rpc-faults.ts";
import { LocalRoomBus } from "./room-bus.ts";
import { RoomHub } from "./room-hub.ts";

describe("the streams of a hub", () => {
  class Stream {
    error: unknown;
    readonly sender: string | undefined;

    constructor(sender: string | undefined) {
      this.sender = sender;
    }

    fail(error: unknown): void {
      this.error = error;
    }
  }

  it("end with PERMISSION_DENIED when their user is deleted, in every replica", () => {
    const bus = new LocalRoomBus();
    const hubs = [
      new RoomHub(new MemoryMessageStore(), new MemoryUserStore(), bus),
      new RoomHub(new MemoryMessageStore(), new MemoryUserStore(), bus),
    ] as const;
    const [ada, elsewhere, bob, unnamed, gone] = ["ada", "ada", "bob", undefined, "ada"].map(
      (name) => new Stream(name),
    );
    for (const stream of [ada, bob, unnamed, gone]) if (stream) hubs[0].enter(stream);
    if (elsewhere) hubs[1].enter(elsewhere);
    if (gone) hubs[0].exit(gone);
    hubs[1].onUserDeleted("ada");
    for (const stream of [ada, elsewhere]) {
      fault({ code: StatusCode.PERMISSION_DENIED, message: "User ada was deleted" })(stream?.error);
    }
    for (const stream of [bob, unnamed, gone]) assert.equal(stream?.error, undefined);
  });

  it("end with UNAVAILABLE when it closes, after which there are no new ones", () => {
    const hub = new RoomHub(new MemoryMessageStore(), new MemoryUserStore(), new LocalRoomBus());
    const stream = new Stream(undefined);
    hub.enter(stream);
    hub.close();
    const draining = fault({ code: StatusCode.UNAVAILABLE, message: /resume_after/ });
    draining(stream.error);
    assert.throws(() => hub.enter(new Stream(undefined)), draining);
  });
});
