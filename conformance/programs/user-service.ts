/**
 * The UserService with answers made up on the spot: what a suite needs to see calls of all four kinds, and their errors,
 * pass through something in between. Keeps no users.
 */
import { type Handlers, RpcError, resourceInfo, Server, type ServerCall, StatusCode } from "volant";
import type { Identity } from "../../packages/volant/test/tls/support/certificates.ts";
import { UserService } from "../../services/users/src/gen/user_pb.ts";

/** Ids with a meaning of their own. */
export const MISSING_ID = "999";
export const STUCK_ID = "stuck";
export const CRASHING_ID = "crash";

export interface TestUserServer {
  readonly server: Server;
  readonly port: number;
  /** How calls ended before their time, as the handlers saw it: one entry for each that was cancelled. */
  readonly cancelled: readonly string[];
  /** Settles when the next call has been cancelled. */
  nextCancelled(): Promise<string>;
}

/** With `tls` over TLS. */
export async function startUserServer(tls?: Identity): Promise<TestUserServer> {
  const cancelled: string[] = [];
  const waiting: ((method: string) => void)[] = [];
  const noteEnd = (call: ServerCall): void =>
    call.onEnd(({ cancelledBy }) => {
      if (cancelledBy === undefined) return;
      cancelled.push(call.method.name);
      waiting.shift()?.(call.method.name);
    });
  // What a crashing handler throws is expected here.
  const server = new Server({ onError: () => {} });
  server.add(UserService, createHandlers(noteEnd), { partial: true });
  const { port } = await server.listen({ host: "127.0.0.1", ...(tls !== undefined && { tls }) });
  const nextCancelled = (): Promise<string> => new Promise((resolve) => waiting.push(resolve));
  return { server, port, cancelled, nextCancelled };
}

function createHandlers(noteEnd: (call: ServerCall) => void): Partial<Handlers<typeof UserService>> {
  return {
    async getUser({ userId, includeMetadata }, call) {
      noteEnd(call);
      echoMetadata(call);
      if (userId === STUCK_ID) await aborted(call.signal);
      if (userId === CRASHING_ID) throw new TypeError("not for the client");
      if (userId === MISSING_ID) {
        const detail = resourceInfo({ resourceType: "user", resourceName: userId });
        throw new RpcError(StatusCode.NOT_FOUND, `User ${userId} not found: é%`, { details: [detail] });
      }
      return {
        user: { id: userId, metadata: includeMetadata ? { a: "1" } : {} },
        message: "User retrieved successfully",
      };
    },
    createUser({ email, name }) {
      return { user: { id: "1", email, name } };
    },
    async *streamUsers({ pageSize, filter }, call) {
      noteEnd(call);
      for (let count = 0; count < pageSize; count++) yield { user: { id: String(count) }, message: filter };
      if (filter === STUCK_ID) await aborted(call.signal);
    },
    async createUserStream(requests, call) {
      noteEnd(call);
      let createdCount = 0;
      let octets = 0;
      for await (const { name } of requests) {
        createdCount++;
        octets += name.length;
      }
      return { createdCount, message: String(octets) };
    },
    async *userChat(messages, call) {
      noteEnd(call);
      for await (const { content, roomId } of messages) yield { content, roomId };
    },
  };
}

/** Headers `x-echo` and `x-echo-bin` come back in the headers and in the trailers. */
function echoMetadata({ metadata, headers, trailers }: ServerCall): void {
  const text = metadata.get("x-echo");
  const octets = metadata.get("x-echo-bin");
  if (text !== undefined) {
    headers.set("x-echo", text);
    trailers.set("x-echo-trailer", text);
  }
  if (octets !== undefined) {
    headers.set("x-echo-bin", octets);
    trailers.set("x-echo-trailer-bin", octets);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  signal.throwIfAborted();
}
