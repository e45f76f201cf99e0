/**
 * A bidirectional call without an iterable to give: send by hand, half-close by hand. `npm run example -- manual-stream`.
 */
import { Channel, createClient, Server } from "volant";
import { UserService } from "../services/users/src/gen/user_pb.ts";

await using server = new Server();
server.add(
  UserService,
  {
    async *userChat(messages) {
      for await (const { content } of messages) yield { content: `you said ${content}` };
    },
    async createUserStream(requests) {
      let createdCount = 0;
      for await (const _ of requests) createdCount++;
      return { createdCount };
    },
  },
  { partial: true },
);
const { port } = await server.listen({ host: "127.0.0.1", port: 0 });

await using channel = new Channel(`127.0.0.1:${port}`);
const users = createClient(UserService, channel);

const chat = users.userChat();
const reading = (async () => {
  for await (const { content } of chat) console.log(content);
})();
for (const content of ["hello", "goodbye"]) await chat.send({ content }); // waits for room
chat.end(); // or chat.cancel()
await reading;

// An upload by hand is awaited for its one answer.
const upload = users.createUserStream();
await upload.send({ name: "Ada Byron" });
upload.end();
console.log(`created ${(await upload).createdCount}`);
