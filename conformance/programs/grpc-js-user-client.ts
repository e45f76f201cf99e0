/**
 * grpc-js behind {@link UserClient}.
 */
import { Client, type ClientDuplexStream, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { USER_SERVICE } from "../../bench/lib/user-client.ts";
import { CallFailure, type CallInit, type Pairs, type UnaryAnswer, type UserClient } from "./user-client.ts";

interface Response {
  readonly user: { readonly id: string; readonly name: string } | null;
  /** Left out where it is 0. */
  readonly createdCount?: number;
  readonly message: string;
}

interface Exchange {
  readonly response: Response;
  readonly headers: Pairs;
  readonly trailers: Pairs;
}

export class GrpcJsUserClient implements UserClient {
  private readonly client: Client;

  /** With `ca` over TLS. */
  constructor(port: number, ca?: string) {
    const target = `127.0.0.1:${port}`;
    // Its certificate has the address too, but Node warns of an address as the name to ask for.
    const options = { "grpc.ssl_target_name_override": "localhost" };
    this.client =
      ca === undefined
        ? new Client(target, credentials.createInsecure())
        : new Client(target, credentials.createSsl(Buffer.from(ca)), options);
  }

  async getUser(userId: string, init: CallInit = {}): Promise<UnaryAnswer> {
    const { response, headers, trailers } = await this.unary("GetUser", { userId }, init);
    return { id: response.user?.id ?? "", headers, trailers };
  }

  async createUser(name: string): Promise<string> {
    return (await this.unary("CreateUser", { name })).response.user?.name ?? "";
  }

  async updateUser(): Promise<void> {
    await this.unary("UpdateUser", {});
  }

  async streamUsers(
    pageSize: number,
    { filter = "", leaveAfter = Number.POSITIVE_INFINITY }: { filter?: string; leaveAfter?: number } = {},
  ): Promise<number> {
    const { path, requestSerialize, responseDeserialize } = USER_SERVICE.StreamUsers!;
    const request = { pageSize, filter };
    const call = this.client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
    let count = 0;
    for await (const _ of call) {
      if (++count < leaveAfter) continue;
      // Cancelling makes an error, which is the point.
      call.on("error", () => {});
      call.cancel();
      break;
    }
    return count;
  }

  async createUserStream(names: Iterable<string>): Promise<{ readonly count: number; readonly octets: number }> {
    const { path, requestSerialize, responseDeserialize } = USER_SERVICE.CreateUserStream!;
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const onEnd = (error: ServiceError | null, response?: unknown): void =>
      error === null ? resolve(response as Response) : reject(toFailure(error));
    const call = this.client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, onEnd);
    for (const name of names) {
      if (!call.write({ name })) await new Promise<void>((room) => call.once("drain", () => room()));
    }
    call.end();
    const { createdCount = 0, message } = await promise;
    return { count: createdCount, octets: Number(message) };
  }

  async userChat(texts: readonly string[]): Promise<string[]> {
    const { path, requestSerialize, responseDeserialize } = USER_SERVICE.UserChat!;
    const call: ClientDuplexStream<object, { content: string }> = this.client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
    );
    const answers: string[] = [];
    const replies = call[Symbol.asyncIterator]();
    for (const content of texts) {
      call.write({ content });
      answers.push((await replies.next()).value?.content ?? "");
    }
    call.end();
    if ((await replies.next()).done !== true) throw new Error("a message came after the last one");
    return answers;
  }

  async close(): Promise<void> {
    this.client.close();
  }

  private unary(name: string, request: object, init: CallInit = {}): Promise<Exchange> {
    const { path, requestSerialize, responseDeserialize } = USER_SERVICE[name]!;
    const { promise, resolve, reject } = Promise.withResolvers<Exchange>();
    let headers: Pairs = {};
    let response: Response | undefined;
    const onEnd = (error: ServiceError | null, received?: unknown): void => {
      if (error === null) response = received as Response;
      else reject(toFailure(error));
    };
    const options = init.timeoutMs === undefined ? {} : { deadline: Date.now() + init.timeoutMs };
    const metadata = toMetadata(init.metadata);
    const call = this.client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      options,
      onEnd,
    );
    call.on("metadata", (received) => {
      headers = received.getMap();
    });
    // The status comes after the callback.
    call.on("status", ({ metadata: trailers }) => {
      if (response !== undefined) resolve({ response, headers, trailers: trailers.getMap() });
    });
    init.signal?.addEventListener("abort", () => call.cancel(), { once: true });
    return promise;
  }
}

function toFailure({ code, details, metadata }: ServiceError): CallFailure {
  return new CallFailure(code, details, metadata.get("grpc-status-details-bin").length > 0);
}

function toMetadata(pairs: Pairs = {}): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(pairs)) {
    metadata.set(key, typeof value === "string" ? value : Buffer.from(value));
  }
  return metadata;
}
