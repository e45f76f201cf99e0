/** The handlers of UserService, as the library types them from the contract. */

import type { Handlers } from "volant";
import type { UserService } from "../gen/user_pb.ts";

export type UserHandlers = Handlers<typeof UserService>;
