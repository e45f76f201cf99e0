/**
 * Our client behind {@link UserClient}.
 */
import { type CallOptions, Channel, type Client, createClient, type Metadata, RpcError } from "volant";
import { UserService } from "../../services/users/src/gen/user_pb.ts";
import { CallFailure, type CallInit, type Pairs, type UnaryAnswer, type UserClient } from "./user-client.ts";

export class VolantUserClient implements UserClient {
  private readonly channel: Channel;
  private readonly users: Client<typeof UserService>;

  /** With `ca` over TLS. */
  constructor(port: number, ca?: string) {
    this.channel = new Channel(`127.0.0.1:${port}`, ca === undefined ? {} : { tls: { ca } });
    this.users = createClient(UserService, this.channel);
  }

  async getUser(userId: string, init: CallInit = {}): Promise<UnaryAnswer> {
    let headers: Pairs = {};
    let trailers: Pairs = {};
    const options: CallOptions = {
      ...init,
      onHeaders: (received: Metadata) => {
        headers = Object.fromEntries(received);
      },
      onTrailers: (received: Metadata) => {
        trailers = Object.fromEntries(received);
      },
    };
    const { user } = await translated(this.users.getUser({ userId }, options));
    return { id: user?.id ?? "", headers, trailers };
  }

  async createUser(name: string): Promise<string> {
    return (await translated(this.users.createUser({ name }))).user?.name ?? "";
  }

  async updateUser(): Promise<void> {
    await translated(this.users.updateUser({}));
  }

  async streamUsers(
    pageSize: number,
    { filter = "", leaveAfter = Number.POSITIVE_INFINITY }: { filter?: string; leaveAfter?: number } = {},
  ): Promise<number> {
    let count = 0;
    for await (const _ of this.users.streamUsers({ pageSize, filter })) if (++count >= leaveAfter) break;
    return count;
  }

  async createUserStream(names: Iterable<string>): Promise<{ readonly count: number; readonly octets: number }> {
    const requests = Array.from(names, (name) => ({ name }));
    const { createdCount, message } = await translated(this.users.createUserStream(requests));
    return { count: createdCount, octets: Number(message) };
  }

  async userChat(texts: readonly string[]): Promise<string[]> {
    const chat = this.users.userChat();
    const answers: string[] = [];
    const replies = chat[Symbol.asyncIterator]();
    for (const content of texts) {
      await chat.send({ content });
      answers.push((await replies.next()).value?.content ?? "");
    }
    chat.end();
    if ((await replies.next()).done !== true) throw new Error("a message came after the last one");
    return answers;
  }

  close(): Promise<void> {
    return this.channel.close();
  }
}

async function translated<T>(call: PromiseLike<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    throw new CallFailure(error.code, error.message, error.details.length > 0);
  }
}
