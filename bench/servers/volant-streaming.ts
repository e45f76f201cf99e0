// Our server in the server-streaming scenario: the public API, an async generator and a new message for each turn of it.

import { Server } from "volant";
import { UserService } from "../../services/users/src/gen/user_pb.ts";
import { createUserResponse, REQUESTED_ID } from "../user-response.ts";

const server = new Server();
server.add(
  UserService,
  {
    async *streamUsers({ pageSize }) {
      for (let count = 0; count < pageSize; count++) yield createUserResponse(REQUESTED_ID, BigInt);
    },
  },
  { partial: true },
);

const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
console.log(`listening ${port}`);
process.once("SIGTERM", () => server.drain({ graceMs: 1_000 }));
