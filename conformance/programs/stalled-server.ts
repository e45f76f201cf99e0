/**
 * A server whose memory can be asked for: run by `suites/stalled-readers.ts` as a child of its own, so that nothing of the
 * suite counts. Owns the handlers that have much to say, the flagship service with users that are large, and the figures.
 */
import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Server, type ServerOptions } from "volant";
import { Lab } from "../../packages/volant/test/gen/lab_pb.ts";
import { UserService } from "../../services/users/src/gen/user_pb.ts";
import { createUserService } from "../../services/users/src/service.ts";
import { openStorage } from "../../services/users/src/storage/open-storage.ts";
import type { Storage } from "../../services/users/src/storage/user-store.ts";

export interface StalledServerOptions {
  readonly server?: ServerOptions;
  /** Octets of each message that a streaming method yields, and of a unary answer. */
  readonly streamedBytes: number;
  readonly unaryBytes: number;
  /** Users of the flagship service, with 16 KB of metadata each, and messages of its room; 0: without the service. */
  readonly users: number;
}

/** What the process holds after a forced collection. */
export interface Held {
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly streams: number;
  /** That are waited for: all of them while streams go on, none once calls of one answer are answered. */
  readonly handlers: number;
  readonly faults: Readonly<Record<string, number>>;
}

export const ROOM = "stalled";
const METADATA_BYTES = 16_000;
const CONTENT_BYTES = 2_000;

async function main({ server: options, streamedBytes, unaryBytes, users }: StalledServerOptions): Promise<void> {
  const server = new Server({ onError: () => {}, ...options });
  const endless = function* () {
    for (;;) yield { body: Buffer.alloc(streamedBytes) };
  };
  server.add(Lab, {
    unary: () => ({ body: Buffer.alloc(unaryBytes) }),
    download: endless,
    chat: endless,
    async upload(requests) {
      for await (const _note of requests) break;
      return { body: Buffer.alloc(unaryBytes) };
    },
  });
  if (users > 0) await addUsers(server, users);
  const { port } = await server.listen({ host: "127.0.0.1" });
  process.on("message", () => void tell(server));
  process.send!({ port });
  await once(process, "disconnect");
  process.exit();
}

async function addUsers(server: Server, count: number): Promise<void> {
  const storage = await openStorage({ url: "memory://" });
  await seed(storage, count);
  server.add(UserService, createUserService({ storage, pageTokenKey: "k".repeat(32) }));
}

/** Users whose metadata is most of them, and a room in which as many messages were said. */
async function seed({ users, messages }: Storage, count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, index) => index);
  const metadata = { note: "m".repeat(METADATA_BYTES) };
  await users.createMany(
    ids.map((index) => ({ email: `u${index}@example.com`, name: `User ${index}`, roles: ["user"], metadata })),
  );
  const [sender] = await users.list({ filter: "", order: { field: "created_at", descending: false } } as never, 1);
  for (const _index of ids) await messages.append(ROOM, sender!.id, "c".repeat(CONTENT_BYTES));
}

async function tell(server: Server): Promise<void> {
  // Twice, with turns between: what the first lets go of outside the heap is freed behind it.
  for (let round = 0; round < 3; round++) {
    globalThis.gc!();
    await nextTurn();
  }
  const { heapUsed, external } = process.memoryUsage();
  const { streamCount: streams, handlerCount: handlers } = server;
  const held: Held = { heapBytes: heapUsed, externalBytes: external, streams, handlers, faults: server.stats().faults };
  process.send!(held);
}

if (import.meta.main) await main(JSON.parse(process.argv[2]!) as StalledServerOptions);
