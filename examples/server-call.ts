/**
 * What a handler has of its call, and what a server tells of itself: metadata both ways, calls that reach no method, errors
 * that no client sees, counters. `npm run example -- server-call`.
 */
import { Channel, createClient, RpcError, Server, statusName } from "volant";
import { UserService } from "../services/users/src/gen/user_pb.ts";

const server = new Server({
  maxReceiveMessageBytes: 64 * 1024,
  http2: { maxConcurrentStreams: 250 },
  maxConnectionAgeMs: 30 * 60_000,
  onRejected: ({ path, code }) => console.log(`no method: ${path} ${statusName(code)}`),
  onError: (error) => console.log(`no client sees: ${(error as Error).message}`),
});

server.add(
  UserService,
  {
    async getUser({ userId }, call) {
      if (userId === "broken") throw new Error("the password of the database is 1234");
      call.headers.set("x-region", "eu");
      call.sendHeaders(); // now, instead of with the first message
      call.trailers.set("x-served-by", call.method.name);
      call.onEnd(({ status, messagesSent }) =>
        console.log(`ended: ${statusName(status.code)}, ${messagesSent} message`),
      );
      const caller = call.metadata.get("x-caller") ?? "nobody";
      return {
        message: `${caller} of ${call.peer.address.split(":")[0]}, within a minute: ${call.remainingMs <= 60_000}`,
      };
    },
  },
  { partial: true },
);

const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
const channel = new Channel(`127.0.0.1:${port}`);
const users = createClient(UserService, channel);

const { message } = await users.getUser(
  { userId: "42" },
  {
    timeoutMs: 60_000,
    metadata: { "x-caller": "ada" },
    onHeaders: (headers) => console.log(`headers: ${headers.get("x-region")}`),
    onTrailers: (trailers) => console.log(`trailers: ${trailers.get("x-served-by")}`),
  },
);
console.log(message);

const codeOf = (error: unknown) => (error instanceof RpcError ? `${error.codeName} ${error.message}` : String(error));
await users.getUser({ userId: "broken" }).catch((error) => console.log(`the client sees: ${codeOf(error)}`));

// The methods left out answer UNIMPLEMENTED.
await users.deleteUser({ userId: "42" }).catch((error) => console.log(error.codeName));

const { connections, handlers } = server.stats();
console.log(`${connections} connection, ${handlers.running} handlers`);

await channel.close();
await server.drain({ graceMs: 1_000 });
