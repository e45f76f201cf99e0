/**
 * A client that calls one method of each kind of `server.ts`. `npm run example -- client 127.0.0.1:50051`.
 */
import { Channel, createClient, RpcError, StatusCode } from "volant";
import { UserService } from "../services/users/src/gen/user_pb.ts";

const channel = new Channel(process.argv[2] ?? "127.0.0.1:50051");
const users = createClient(UserService, channel);

const { user } = await users.getUser({ userId: "42" }, { timeoutMs: 10_000 });
console.log(`unary: ${user?.name}`);

try {
  await users.getUser({ userId: "999" });
} catch (error) {
  if (!(error instanceof RpcError) || error.code !== StatusCode.NOT_FOUND) throw error;
  console.log(`unary: ${error.codeName} ${error.message}`);
}

// Leaving the loop would cancel the call.
for await (const { user } of users.streamUsers({ pageSize: 1_000 })) console.log(`streamed: ${user?.email}`);

async function* people() {
  yield { name: "Grace Hopper", email: "grace@example.com" };
  yield { name: "Edsger Dijkstra", email: "edsger@example.com" };
}
const summary = await users.createUserStream(people());
console.log(`created: ${summary.createdCount}`);

const words = [
  { roomId: "lobby", content: "hello" },
  { roomId: "lobby", content: "goodbye" },
];
for await (const message of users.userChat(words)) console.log(`chat: ${message.content}`);

await channel.close();
