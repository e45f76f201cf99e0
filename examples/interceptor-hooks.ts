/**
 * Every hook of an interceptor, on both sides, and their order. `npm run example -- interceptor-hooks`.
 */
import {
  Channel,
  type ClientInterceptor,
  createClient,
  RpcError,
  Server,
  type ServerInterceptor,
  StatusCode,
} from "volant";
import { UserService } from "../services/users/src/gen/user_pb.ts";

const log: string[] = [];

/** The first of a list is the outermost: its onCall runs first, its onResponse last. */
const hooks =
  (name: string): ServerInterceptor =>
  (method) => {
    if (method.idempotency === "NO_SIDE_EFFECTS" && name === "writes only") return;
    return {
      onCall: () => void log.push(`${name} onCall`),
      onRequest: () => void log.push(`${name} onRequest`),
      onResponse: () => void log.push(`${name} onResponse`),
      around: (next) => (request, call) => {
        log.push(`${name} around`);
        return next(request, call);
      },
    };
  };

/** Throwing in a message hook refuses the message, and with it the call. */
const validation: ServerInterceptor = () => ({
  onRequest(message) {
    if ((message as { userId?: string }).userId === "")
      throw new RpcError(StatusCode.INVALID_ARGUMENT, "User ID is required");
  },
});

const counting: ClientInterceptor = () => {
  let sent = 0;
  return {
    onRequest: () => void sent++,
    onCall: (call) => call.onEnd(({ messagesReceived }) => log.push(`client: ${sent} sent, ${messagesReceived} back`)),
  };
};

await using server = new Server({ interceptors: [hooks("outer"), hooks("inner"), hooks("writes only"), validation] });
server.add(UserService, { getUser: ({ userId }) => ({ user: { id: userId } }) }, { partial: true });
const { port } = await server.listen({ host: "127.0.0.1", port: 0 });

await using channel = new Channel(`127.0.0.1:${port}`, { interceptors: [counting] });
const users = createClient(UserService, channel);
await users.getUser({ userId: "42" });
console.log(log.splice(0).join("\n"));

await users.getUser({}).catch((error) => console.log(`${error.codeName} ${error.message}`));
