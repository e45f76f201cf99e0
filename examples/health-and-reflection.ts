/**
 * A server that tells how it does and what it serves, and a client that asks. `npm run example -- health-and-reflection`.
 */
import { Channel, createClient, Server } from "volant";
import { Health, HealthCheckResponse_ServingStatus, health, reflection, ServerReflection } from "volant/services";
import { UserService } from "../services/users/src/gen/user_pb.ts";

await using server = new Server();
server.add(UserService, { getUser: ({ userId }) => ({ user: { id: userId } }) }, { partial: true });
const status = health(server);
reflection(server);
const { port } = await server.listen({ host: "127.0.0.1", port: 0 });

await using channel = new Channel(`127.0.0.1:${port}`);

const questions = [{ messageRequest: { case: "listServices", value: "*" } }] as const;
for await (const { messageResponse } of createClient(ServerReflection, channel).serverReflectionInfo(questions)) {
  if (messageResponse.case !== "listServicesResponse") continue;
  for (const { name } of messageResponse.value.service) console.log(name);
}

const { SERVING } = HealthCheckResponse_ServingStatus;
/** What happens to the service, one after the other, each when the watcher has heard of the one before. */
const events = [
  () => status.set(UserService.typeName, "NOT_SERVING"),
  () => status.set(UserService.typeName, "SERVING"),
  () => server.drain(),
];
for await (const change of createClient(Health, channel).watch({ service: UserService.typeName })) {
  console.log(`${UserService.typeName}: ${change.status === SERVING ? "SERVING" : "not SERVING"}`);
  void events.shift()?.();
}
console.log("the watch ended with the server");
