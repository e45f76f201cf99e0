/**
 * Time and cancellation: a timeout, a signal, and a call inside a handler that inherits what is left of both.
 * `npm run example -- deadlines`.
 */
import { once } from "node:events";
import { Channel, createClient, RpcError, Server } from "volant";
import { UserService } from "../services/users/src/gen/user_pb.ts";

const name = (error: unknown) => (error instanceof RpcError ? error.codeName : String(error));

let behindIsAsked = Promise.withResolvers<void>();
// The server behind: it never answers, and hears when nobody waits any more.
await using slow = new Server();
slow.add(
  UserService,
  {
    async getUser(_request, call) {
      behindIsAsked.resolve();
      await once(call.signal, "abort");
      console.log(`behind: ${call.deadline === undefined ? "no deadline" : "the deadline came along"}`);
      return {};
    },
  },
  { partial: true },
);
const behind = await slow.listen({ host: "127.0.0.1", port: 0 });
await using inner = new Channel(`127.0.0.1:${behind.port}`);
const others = createClient(UserService, inner);

// The server in front: its call inherits the deadline and the cancellation of the one it works for.
await using front = new Server();
front.add(UserService, { getUser: (request) => others.getUser(request) }, { partial: true });
const { port } = await front.listen({ host: "127.0.0.1", port: 0 });
await using channel = new Channel(`127.0.0.1:${port}`);
const users = createClient(UserService, channel);

// Both connections first: what they take would be taken from the deadline.
await Promise.all([channel.connect(), inner.connect()]);
await users.getUser({ userId: "1" }, { timeoutMs: 2_000 }).catch((error) => console.log(name(error)));

behindIsAsked = Promise.withResolvers();
const controller = new AbortController();
const call = users.getUser({ userId: "1" }, { signal: controller.signal });
await behindIsAsked.promise;
controller.abort();
await call.catch((error) => console.log(name(error)));
