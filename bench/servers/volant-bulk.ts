// Our server in the long-fat-link scenario: the public API, downloads without end, uploads counted.

import { Server } from "volant";
import { UserService } from "../../services/users/src/gen/user_pb.ts";

const [textBytes] = process.argv.slice(2);
if (textBytes === undefined) throw new Error("usage: volant-bulk.ts OCTETS_OF_TEXT_IN_A_MESSAGE");
const message = "x".repeat(Number(textBytes));

const server = new Server();
server.add(
  UserService,
  {
    async *streamUsers() {
      for (;;) yield { message };
    },
    async createUserStream(requests) {
      let createdCount = 0;
      for await (const _request of requests) createdCount++;
      return { createdCount };
    },
  },
  { partial: true },
);

const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
console.log(`listening ${port}`);
process.once("SIGTERM", () => server.drain({ graceMs: 1_000 }));
