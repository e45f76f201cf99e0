/** What the types promise: each line below `@ts-expect-error` must be an error, or `npm run check` fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Channel, type Client, createClient, type Handlers, RpcError, Server, StatusCode } from "volant";
import { UserService } from "../services/users/src/gen/user_pb.ts";

const CHECKED_ONLY = false as boolean;

function handlers(server: Server): void {
  server.add(
    UserService,
    {
      // @ts-expect-error: an id is a string
      getUser: ({ userId }) => ({ user: { id: userId.length } }),
      // @ts-expect-error: a stream yields
      streamUsers: async () => ({ user: { id: "1" } }),
      // @ts-expect-error: pageSize is a number
      listUsers: ({ pageSize }) => ({ users: [], nextPageToken: pageSize }),
    },
    { partial: true },
  );
  // @ts-expect-error: the other methods are missing
  server.add(UserService, { getUser: () => ({}) });
  // @ts-expect-error: there is no such method
  server.add(UserService, { getUsr: () => ({}) }, { partial: true });
}

async function calls(users: Client<typeof UserService>): Promise<void> {
  // @ts-expect-error: there is no such method
  await users.fetchUser({ userId: "1" });
  // @ts-expect-error: there is no such field
  await users.getUser({ id: "1" });
  // @ts-expect-error: a unary call is no iterable
  for await (const _ of users.getUser({ userId: "1" }));
  // @ts-expect-error: the one answer of an upload is awaited
  for await (const _ of users.createUserStream()) return;
  // @ts-expect-error: what a chat takes
  await users.userChat().send({ text: "hello" });
}

test("types hold at compile time; plain JavaScript is told by add", () => {
  if (CHECKED_ONLY) {
    handlers(new Server());
    void calls(createClient(UserService, new Channel("localhost:1")));
  }
  const untyped = (names: object) => names as Handlers<typeof UserService>;
  const add = (names: object) => () => new Server().add(UserService, untyped(names));
  assert.throws(add({ getUsr: () => ({}) }), { name: "TypeError", message: /getUsr/ });
  assert.throws(add({ getUser: () => ({}) }), { name: "TypeError", message: /listUsers/ });
  assert.throws(() => new RpcError(StatusCode.OK), TypeError);
});
