/**
 * A service whose definition another generator made, here proto-loader at run time: the same handlers and the
 * same client as with generated code. `npm run example -- grpc-js-definitions`
 */
import { join } from "node:path";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import { Channel, createClient, RpcError, Server, StatusCode } from "volant";
import { fromGrpcJs } from "volant/grpc-js";

const proto = loadSync("user.proto", { includeDirs: [join(import.meta.dirname, "..", "proto")], defaults: true });
const UserService = fromGrpcJs(proto["user.UserService"] as ServiceDefinition);

const server = new Server();
server.add(
  UserService,
  {
    async getUser({ userId }) {
      if (userId !== "42") throw new RpcError(StatusCode.NOT_FOUND, `User ${userId} not found`);
      return { user: { id: userId, name: "Ada Byron" } };
    },
    async *streamUsers({ pageSize }) {
      for (let at = 1; at <= pageSize; at++) yield { user: { id: String(at) } };
    },
  },
  { partial: true },
);
const { port } = await server.listen({ host: "127.0.0.1", port: 0 });

const channel = new Channel(`127.0.0.1:${port}`);
const { getUser, streamUsers } = createClient(UserService, channel);

console.log("unary:", (await getUser!({ userId: "42" })).user.name);
for await (const { user } of streamUsers!({ pageSize: 2 })) console.log("streamed:", user.id);
try {
  await getUser!({ userId: "999" });
} catch (error) {
  if (!(error instanceof RpcError)) throw error;
  console.log("refused:", error.codeName, error.message);
}

await channel.close();
await server.close();
