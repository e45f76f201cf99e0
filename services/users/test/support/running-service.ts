/**
 * The service on a real port over a real engine (PGlite in memory), in this process. `ended` tells how the server saw a
 * call end, so that a test waits for that and not for time to pass.
 */

import type { CallEnd, Server, ServerInterceptor } from "volant";
import { createUsersServer, type UserServiceOptions } from "../../src/service.ts";
import { openStorage, type SqlStorage } from "../../src/storage/open-storage.ts";
import { seedSampleUsers } from "../../src/storage/sample-users.ts";

export interface RunningService {
  /** `127.0.0.1:<port>` */
  readonly address: string;
  readonly port: number;
  readonly server: Server;
  readonly storage: SqlStorage;
  /** What handlers threw that was not meant for the caller. */
  readonly faults: unknown[];
  /** How the next call of this method to end, for instance of `GetUser`, ended. */
  ended(method: string): Promise<CallEnd>;
  close(): Promise<void>;
}

export async function startService(options: Partial<UserServiceOptions> = {}): Promise<RunningService> {
  const storage = await openStorage({ url: "memory://" });
  await seedSampleUsers(storage);
  const watches = new Map<string, ((end: CallEnd) => void)[]>();
  const watch: ServerInterceptor = ({ name }) => ({
    onCall: (call) =>
      call.onEnd((end) => {
        for (const tell of watches.get(name)?.splice(0) ?? []) tell(end);
      }),
  });
  const faults: unknown[] = [];
  const server = createUsersServer(
    { storage, pageTokenKey: "a key of the tests", ...options },
    { interceptors: [watch], onError: (error) => faults.push(error) },
  );
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    address: `127.0.0.1:${port}`,
    port,
    server,
    storage,
    faults,
    ended: (method) =>
      new Promise((resolve) => {
        watches.set(method, [...(watches.get(method) ?? []), resolve]);
      }),
    async close() {
      await server.close();
      await storage.close();
    },
  };
}

/** Everything the table of users holds that matches, by name of email. */
export async function emailsMatching(storage: SqlStorage, filter: string): Promise<string[]> {
  const order = { field: "email", descending: false } as const;
  return (await storage.users.list({ filter, order }, 100_000)).map(({ email }) => email);
}
