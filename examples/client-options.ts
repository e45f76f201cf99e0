/**
 * What a channel and a call can be told, and what a channel tells. `npm run example -- client-options`.
 */
import { Channel, createClient, RpcError, Server } from "volant";
import { UserService } from "../services/users/src/gen/user_pb.ts";

const server = new Server();
server.add(
  UserService,
  {
    getUser: ({ userId }, call) => ({ message: `${userId} for ${call.metadata.get("x-tenant")}` }),
    *streamUsers() {
      for (let at = 1; ; at++) yield { user: { id: String(at) } };
    },
  },
  { partial: true },
);
const { port } = await server.listen({ host: "localhost", port: 0 });

const channel = new Channel(`dns:///localhost:${port}`, {
  userAgent: "example/1.0",
  connectTimeoutMs: 10_000,
  backoff: { initialMs: 100, maxMs: 5_000 },
  keepalive: { timeMs: 30_000, timeoutMs: 5_000 },
  maxReceiveMessageBytes: 8 * 1024 * 1024,
  interceptors: [() => ({ onCall: (call) => void call.metadata.set("x-tenant", "acme") })],
});
const stop = channel.watchState((state) => console.log(state));
await channel.connect();
stop();

const users = createClient(UserService, channel);
console.log((await users.getUser({ userId: "42" }, { timeoutMs: 60_000, waitForReady: true })).message);

// A deadline is a Date or milliseconds since 1970.
const late = users.getUser({ userId: "42" }, { deadline: new Date(Date.now() - 1) });
await late.catch((error) => console.log(error instanceof RpcError ? error.codeName : error));

const call = users.streamUsers({});
for await (const { user } of call) {
  console.log(`streamed: ${user?.id}`);
  if (user?.id === "2") break; // cancels the call
}

const { connections, pending } = channel.stats();
console.log(`${connections} connection, ${pending} waiting`);
await channel.close();
console.log(channel.state);
await server.close();
