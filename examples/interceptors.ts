/**
 * One audit interceptor on the server, one that adds a credential on the client. `npm run example -- interceptors`.
 */
import {
  Channel,
  type ClientInterceptor,
  createCallValueKey,
  createClient,
  RpcError,
  Server,
  type ServerInterceptor,
  StatusCode,
  statusName,
} from "volant";
import { UserService } from "../services/users/src/gen/user_pb.ts";

const caller = createCallValueKey("caller", "nobody");

/** Once per method, at registration: bind labels and look up rules here. */
const audit: ServerInterceptor = (method) => {
  // Nothing returned costs nothing per call.
  if (method.name === "ListUsers") return;
  return {
    onCall(call) {
      call.onEnd(({ status }) => console.log(`${method.path} ${statusName(status.code)} ${call.values.get(caller)}`));
    },
  };
};

/** At the headers, before an octet of the request is accepted; throwing refuses the call. */
const authenticate: ServerInterceptor = () => ({
  onCall(call) {
    const token = call.metadata.get("authorization");
    if (token === undefined) throw new RpcError(StatusCode.UNAUTHENTICATED, "No authorization token provided");
    call.values.set(caller, token.replace("Bearer ", ""));
  },
});

/** May be async: the call waits for its token. */
const credentials: ClientInterceptor = () => ({
  async onCall(call) {
    call.metadata.set("authorization", `Bearer ${await Promise.resolve("ada")}`);
    call.limitTimeout(5_000);
  },
});

await using server = new Server({ interceptors: [audit, authenticate] });
server.add(UserService, { getUser: ({ userId }) => ({ user: { id: userId } }) }, { partial: true });
const { port } = await server.listen({ host: "127.0.0.1", port: 0 });

await using channel = new Channel(`127.0.0.1:${port}`);
const users = createClient(UserService, channel, { interceptors: [credentials] });
await users.getUser({ userId: "42" });

const strangers = createClient(UserService, channel);
await strangers.getUser({ userId: "42" }).catch((error) => console.log(`refused: ${error.message}`));
