/**
 * The smallest whole program: a server, a client and a call. `npm run example -- unary-echo`.
 */
import { Channel, createClient, Server } from "volant";
import { UserService } from "../services/users/src/gen/user_pb.ts";

await using server = new Server();
server.add(UserService, { getUser: ({ userId }) => ({ user: { id: userId } }) }, { partial: true });
const { port } = await server.listen({ host: "127.0.0.1", port: 0 });

await using channel = new Channel(`127.0.0.1:${port}`);
const { user } = await createClient(UserService, channel).getUser({ userId: "42" });
console.log(`got ${user?.id}`);
