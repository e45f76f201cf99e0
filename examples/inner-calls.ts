/**
 * Calls that a handler makes: what they inherit, and why their errors do not pass through it by accident.
 * `npm run example -- inner-calls`.
 */
import { Channel, createClient, detached, RpcError, Server, StatusCode } from "volant";
import { UserService } from "../services/users/src/gen/user_pb.ts";

await using directory = new Server();
directory.add(
  UserService,
  {
    getUser({ userId }, call) {
      if (userId === "999") throw new RpcError(StatusCode.NOT_FOUND, "User 999 not found");
      return { message: call.deadline === undefined ? "no deadline" : "a deadline" };
    },
  },
  { partial: true },
);
const behind = await directory.listen({ host: "127.0.0.1", port: 0 });
await using inner = new Channel(`127.0.0.1:${behind.port}`);
const others = createClient(UserService, inner);

await using front = new Server({ onError: (error) => console.log(`onError: ${(error as Error).message}`) });
front.add(
  UserService,
  {
    async getUser({ userId }, call) {
      switch (userId) {
        case "inherit": // so does { parent: call }, where the code does not run inside the handler
          return others.getUser({ userId });
        case "explicit":
          return detached(() => others.getUser({ userId }, { parent: call }));
        case "opt out":
          return others.getUser({ userId }, { parent: null });
        case "forward":
          // The caller is meant to read what the server behind said.
          return others.getUser({ userId: "999" }).catch((error) => {
            throw RpcError.from(error);
          });
        default:
          // Not caught: an error of a client call is no answer of this service.
          return others.getUser({ userId: "999" });
      }
    },
  },
  { partial: true },
);
const { port } = await front.listen({ host: "127.0.0.1", port: 0 });
await using channel = new Channel(`127.0.0.1:${port}`);
const users = createClient(UserService, channel);

for (const userId of ["inherit", "explicit", "opt out", "forward", "default"]) {
  try {
    console.log(`${userId}: ${(await users.getUser({ userId }, { timeoutMs: 60_000 })).message}`);
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    console.log(`${userId}: ${error.codeName} ${error.message}`);
  }
}
