/**
 * A server with one method of each kind. `npm run example -- server 50051`, then `npm run example -- client`.
 */
import { RpcError, Server, StatusCode } from "volant";
import { UserService } from "../services/users/src/gen/user_pb.ts";

const users = new Map([
  ["42", { id: "42", name: "Ada Byron", email: "ada@example.com" }],
  ["43", { id: "43", name: "Alan Turing", email: "alan@example.com" }],
]);

const server = new Server();

server.add(
  UserService,
  {
    // Unary: message in, message out. Sync or async.
    getUser({ userId }) {
      const user = users.get(userId);
      if (user === undefined) throw new RpcError(StatusCode.NOT_FOUND, `User ${userId} not found`);
      return { user };
    },
    // Server streaming: yielding waits for the reader.
    *streamUsers() {
      for (const user of users.values()) yield { user };
    },
    // Client streaming: an async iterable in, one message out.
    async createUserStream(requests) {
      let createdCount = 0;
      for await (const { name, email } of requests) {
        const id = String(users.size + 42);
        users.set(id, { id, name, email });
        createdCount++;
      }
      return { createdCount };
    },
    // Bidirectional: an async iterable in, an iterable out.
    async *userChat(messages) {
      for await (const { roomId, content } of messages) yield { roomId, content: content.toUpperCase() };
    },
  },
  // The methods left out answer UNIMPLEMENTED.
  { partial: true },
);

const { port } = await server.listen({ port: Number(process.argv[2] ?? 50051) });
console.log(`listening on port ${port}`);

// No new calls, those under way finish, then the process ends.
process.once("SIGTERM", () => server.drain({ graceMs: 20_000 }));
process.once("SIGINT", () => server.drain({ graceMs: 1_000 }));
