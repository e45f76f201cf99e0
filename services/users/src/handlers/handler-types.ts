/** The handlers of UserService, as the library types them from the contract. */

import type { ServiceHandlers } from "volant";
import type { UserService } from "../gen/user_pb.ts";

export type UserHandlers = ServiceHandlers<typeof UserService>;
