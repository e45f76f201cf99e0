// Our server in the unary scenarios: the public API, an async handler and a new answer for each call.

import { Server } from "volant";
import { UserService } from "../../services/users/src/gen/user_pb.ts";
import { createUserResponse } from "../user-response.ts";

const server = new Server();
server.add(
  UserService,
  {
    async getUser({ userId }) {
      return createUserResponse(userId, BigInt);
    },
  },
  { partial: true },
);

const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
console.log(`listening ${port}`);
process.once("SIGTERM", () => server.drain({ graceMs: 1_000 }));
