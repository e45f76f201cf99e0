/**
 * Retries: what is sent again by itself, and what only when the caller says that it does no harm. `npm run example -- retries`.
 */
import { Channel, createClient, RpcError, Server, StatusCode } from "volant";
import { UserService } from "../services/users/src/gen/user_pb.ts";

let seen = 0;
/** Two of three attempts find it busy. */
function beBusy(): void {
  seen++;
  if (seen % 3 !== 0) throw new RpcError(StatusCode.UNAVAILABLE, "busy");
}

await using server = new Server();
server.add(
  UserService,
  {
    getUser({ userId }) {
      beBusy();
      return { user: { id: userId } };
    },
    createUser({ email }) {
      beBusy();
      return { user: { id: "1", email } };
    },
  },
  { partial: true },
);
const { port } = await server.listen({ host: "127.0.0.1", port: 0 });

await using channel = new Channel(`127.0.0.1:${port}`, {
  retry: { maxAttempts: 4, backoff: { initialMs: 10, maxMs: 2_000 } },
});
const users = createClient(UserService, channel);

// The proto says NO_SIDE_EFFECTS.
await users.getUser({ userId: "42" });
console.log(`getUser: ${seen} attempts`);

// It says nothing of createUser: a second user would be worse than an error.
seen = 0;
await users.createUser({ email: "ada@example.com" }).catch((error) => {
  console.log(`createUser: ${seen} attempt, ${error.codeName}`);
});

// With an idempotency key it is safe, and the caller knows.
seen = 0;
await users.createUser({ email: "ada@example.com", requestId: "5f0c" }, { idempotent: true });
console.log(`createUser with a key: ${seen} attempts`);
