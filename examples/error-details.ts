/**
 * Errors that say more than a code: details on the server, read by type on the client. `npm run example -- error-details`.
 */
import { badRequest, Channel, createClient, RpcError, retryInfo, Server, StatusCode } from "volant";
import { BadRequestSchema, RetryInfoSchema } from "volant/errors";
import { UserService } from "../services/users/src/gen/user_pb.ts";

await using server = new Server();
server.add(
  UserService,
  {
    createUser({ email }) {
      if (!email.includes("@")) {
        throw new RpcError(StatusCode.INVALID_ARGUMENT, "email is not valid", {
          details: [badRequest({ email: "must contain @" })],
        });
      }
      throw new RpcError(StatusCode.RESOURCE_EXHAUSTED, "Rate limit exceeded", {
        details: [retryInfo({ delayMs: 1_500 })],
        metadata: { "x-limit": "100" },
      });
    },
  },
  { partial: true },
);
const { port } = await server.listen({ host: "127.0.0.1", port: 0 });

await using channel = new Channel(`127.0.0.1:${port}`);
const users = createClient(UserService, channel);

for (const email of ["nonsense", "ada@example.com"]) {
  try {
    await users.createUser({ email });
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    for (const { field, description } of error.detail(BadRequestSchema)?.fieldViolations ?? []) {
      console.log(`${error.codeName}: ${field} ${description}`);
    }
    const delay = error.detail(RetryInfoSchema)?.retryDelay;
    if (delay) console.log(`${error.codeName}: again in ${delay.seconds} s, limit ${error.metadata.get("x-limit")}`);
  }
}
