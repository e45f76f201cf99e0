/** CreateUserStream: every item goes to one `BulkCreation`, at the pace the storage takes them. */

import { BulkCreation } from "../domain/bulk-creation.ts";
import { requesterOf } from "../domain/requester-of-call.ts";
import type { UserStore } from "../storage/user-store.ts";
import type { UserHandlers } from "./handler-types.ts";

export function createBulkHandlers(users: UserStore): Pick<UserHandlers, "createUserStream"> {
  return {
    async createUserStream(requests, call) {
      const creation = new BulkCreation(users, requesterOf(call));
      for await (const request of requests) await creation.add(request);
      return creation.finish();
    },
  };
}
