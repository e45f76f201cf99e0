/**
 * Compression: a default on both sides, and the choice of one call. What went over the wire is counted by a plain proxy
 * between the two. `npm run example -- compression`.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { Channel, createClient, Server } from "volant";
import { UserService } from "../services/users/src/gen/user_pb.ts";

// Answers are compressed for clients that accept it, messages below minBytes excepted.
await using server = new Server({ compression: { send: "gzip", minBytes: 512 } });
server.add(
  UserService,
  {
    listUsers: ({ filter }, call) => {
      // What holds a secret next to text that an attacker chooses should not be compressed with it.
      if (filter === "secrets") call.compression = "identity";
      return { users: Array.from({ length: 500 }, (_, at) => ({ id: `user-${at}`, email: `user-${at}@example.com` })) };
    },
  },
  { partial: true },
);
const { port } = await server.listen({ host: "127.0.0.1", port: 0 });

let received = 0;
const proxy = createServer((near) => {
  const far = connect({ host: "127.0.0.1", port: port! });
  far.on("data", (bytes) => {
    received += bytes.length;
  });
  near.pipe(far).pipe(near);
  near.on("error", () => far.destroy());
  far.on("error", () => near.destroy());
});
proxy.listen(0, "127.0.0.1");
await once(proxy, "listening");

// Requests go compressed too; a call may say otherwise.
const channel = new Channel(`127.0.0.1:${(proxy.address() as AddressInfo).port}`, { compression: { send: "gzip" } });
const users = createClient(UserService, channel);
await users.listUsers({});

async function received500(filter: string): Promise<string> {
  const before = received;
  const { users: list } = await users.listUsers({ filter }, { compression: "identity" });
  const kib = (received - before) / 1_024;
  return `${list.length} users in ${kib < 10 ? "less" : "more"} than 10 KiB`;
}

console.log(`gzip: ${await received500("")}`);
console.log(`identity: ${await received500("secrets")}`);
await channel.close();
proxy.close();
