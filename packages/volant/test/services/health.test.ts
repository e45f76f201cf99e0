/** grpc.health.v1 over a connection: Check, Watch and List, and what a drain does to them. gRPC health-checking.md. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as Serving,
} from "../../src/gen/grpc/health/v1/health_pb.ts";
import { type Client, Server, StatusCode } from "../../src/index.ts";
import { type HealthStatus, health, reflection, type ServingStatus } from "../../src/services/index.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually, type Lab as TestLab, useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { failureOf, withHandlers } from "../server/support/lab-service.ts";
import { GRPC_FIELDS, prefixed, RawPeer } from "../server/support/raw-peer.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = Serving;
const { INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED } = StatusCode;

interface HealthLab {
  readonly lab: TestLab;
  readonly status: HealthStatus;
  readonly client: Client<typeof Health>;
}

async function useHealth(t: TestContext, over: "tcp" | "memory" = "memory"): Promise<HealthLab> {
  let status: HealthStatus | undefined;
  const setUp = (server: Server): void => {
    status = health(server);
    withHandlers({})(server);
  };
  const lab = await useServer(t, setUp, { over });
  return { lab, status: status!, client: lab.client(Health) };
}

/** A Watch, read by hand. */
function watch(client: Client<typeof Health>, service: string) {
  const call = client.watch({ service });
  const responses = call[Symbol.asyncIterator]();
  return {
    next: async (): Promise<Serving | "end"> => {
      const step = await responses.next();
      return step.done ? "end" : step.value.status;
    },
    leave: () => responses.return?.(),
  };
}

test("the server and each service are SERVING from the start, whenever they are added, gRPC's own are not listed", async (t) => {
  let early: HealthStatus | undefined;
  const setUp = (server: Server): void => {
    withHandlers({})(server);
    early = health(server);
    reflection(server);
  };
  const lab = await useServer(t, setUp, { over: "memory" });
  const client = lab.client(Health);
  lab.server.add({ kind: "definition", typeName: "other.Service", method: {}, methods: [] }, {});
  const { statuses } = await client.list({});
  assert.deepEqual(Object.keys(statuses).sort(), ["", "other.Service", "volant.test.Lab"]);
  for (const { status } of Object.values(statuses)) assert.equal(status, SERVING);
  assert.equal(early?.get("volant.test.Lab"), "SERVING");
});

test("Check answers what was set, for each name by itself", async (t) => {
  const { status, client } = await useHealth(t);
  status.set("volant.test.Lab", "NOT_SERVING");
  status.set("readiness", "NOT_SERVING");
  assert.equal((await client.check({ service: "volant.test.Lab" })).status, NOT_SERVING);
  assert.equal((await client.check({ service: "readiness" })).status, NOT_SERVING);
  assert.equal((await client.check({})).status, SERVING);
  status.set("readiness", "SERVING");
  assert.equal((await client.check({ service: "readiness" })).status, SERVING);
});

test("Check of a name that there is not is NOT_FOUND, of one that was taken away too", async (t) => {
  const { status, client } = await useHealth(t);
  const { message } = await failureOf(client.check({ service: 'no"such' }), NOT_FOUND);
  assert.equal(message, 'unknown service "no\\"such"');
  status.set("volant.test.Lab", "SERVICE_UNKNOWN");
  await failureOf(client.check({ service: "volant.test.Lab" }), NOT_FOUND);
  assert.deepEqual(Object.keys((await client.list({})).statuses), [""]);
});

test("a status that was set before its service is added stays", async (t) => {
  const lab = await useServer(
    t,
    (server) => {
      health(server).set("volant.test.Lab", "NOT_SERVING");
      withHandlers({})(server);
    },
    { over: "memory" },
  );
  const { status } = await lab.client(Health).check({ service: "volant.test.Lab" });
  assert.equal(status, NOT_SERVING);
});

test("Watch tells the status at once and each change, a repetition is none", async (t) => {
  const { status, client } = await useHealth(t);
  const watcher = watch(client, "volant.test.Lab");
  assert.equal(await watcher.next(), SERVING);
  status.set("volant.test.Lab", "SERVING");
  status.set("volant.test.Lab", "NOT_SERVING");
  assert.equal(await watcher.next(), NOT_SERVING);
  status.set("volant.test.Lab", "SERVING");
  assert.equal(await watcher.next(), SERVING);
  await watcher.leave();
});

test("Watch of a name that there is not says SERVICE_UNKNOWN, stays, and tells when there is", async (t) => {
  const { lab, client } = await useHealth(t);
  const watcher = watch(client, "later.Service");
  assert.equal(await watcher.next(), SERVICE_UNKNOWN);
  lab.server.add({ kind: "definition", typeName: "later.Service", method: {}, methods: [] }, {});
  assert.equal(await watcher.next(), SERVING);
  await watcher.leave();
});

test("a watcher that goes away, or whose deadline passes, ends its handler", async (t) => {
  const { lab, client } = await useHealth(t);
  const watcher = watch(client, "");
  assert.equal(await watcher.next(), SERVING);
  assert.equal(lab.server.handlerCount, 1);
  await watcher.leave();
  await eventually("the handler to end", () => lab.server.handlerCount === 0);
  const timed = client.watch({}, { timeoutMs: 20 })[Symbol.asyncIterator]();
  await failureOf(
    (async () => {
      while (!(await timed.next()).done);
    })(),
    StatusCode.DEADLINE_EXCEEDED,
  );
  await eventually("the handler to end", () => lab.server.handlerCount === 0);
});

test("a watcher that is behind gets the latest, not what it missed", async (t) => {
  const { status, client } = await useHealth(t);
  const watcher = watch(client, "volant.test.Lab");
  assert.equal(await watcher.next(), SERVING);
  for (let count = 0; count < 1_000; count++) {
    status.set("volant.test.Lab", "NOT_SERVING");
    status.set("volant.test.Lab", "SERVING");
  }
  status.set("volant.test.Lab", "SERVICE_UNKNOWN");
  // The first change found it waiting.
  assert.equal(await watcher.next(), NOT_SERVING);
  assert.equal(await watcher.next(), SERVICE_UNKNOWN);
  await watcher.leave();
});

test("List of more than 100 is RESOURCE_EXHAUSTED, of 100 it is not", async (t) => {
  const { status, client } = await useHealth(t);
  for (let count = 0; count < 98; count++) status.set(`s${count}`, "SERVING");
  assert.equal(Object.keys((await client.list({})).statuses).length, 100);
  status.set("one more", "SERVING");
  const { message } = await failureOf(client.list({}), RESOURCE_EXHAUSTED);
  assert.match(message, /101 services have a status, at most 100/);
  assert.equal((await client.check({ service: "one more" })).status, SERVING);
});

test("a name that is too long to be kept is INVALID_ARGUMENT, the longest is not", async (t) => {
  const { client } = await useHealth(t);
  await failureOf(client.check({ service: "x".repeat(1_025) }), INVALID_ARGUMENT);
  await failureOf(
    client
      .watch({ service: "x".repeat(1_025) })
      [Symbol.asyncIterator]()
      .next(),
    INVALID_ARGUMENT,
  );
  const watcher = watch(client, "x".repeat(1_024));
  assert.equal(await watcher.next(), SERVICE_UNKNOWN);
  await watcher.leave();
});

test("a drain tells watchers NOT_SERVING before the GOAWAY, ends them with OK, and is not held up", async (t) => {
  const { lab } = await useHealth(t, "tcp");
  const peer = await RawPeer.ready(lab);
  peer.send(...watchRequest(1, ""));
  await peer.line(/^DATA 1/);
  const seen = peer.lines.length;
  const drained = lab.server.drain({ graceMs: 600_000 });
  await peer.line(/^GOAWAY/);
  const told = peer.lines.slice(seen).map((line) => line.split(" ")[0]);
  assert.equal(told[0], "DATA", told.join(", "));
  assert.ok(told.indexOf("GOAWAY") > 0);
  assert.match((await peer.answer(1)).at(-1)!, /grpc-status=0/);
  assert.deepEqual(statusesIn(peer.bodies.get(1)), [SERVING, NOT_SERVING]);
  const ping = await peer.line(/^PING/);
  peer.send(frames.raw(6, 1, 0, Buffer.from(ping.split(" ")[1]!, "hex")));
  await drained;
});

test("during a drain nothing is SERVING any more, and a Watch that begins says so and ends", async (t) => {
  const gate = Promise.withResolvers<object>();
  let status: HealthStatus | undefined;
  const lab = await useServer(t, (server) => {
    status = health(server);
    withHandlers({ unary: () => gate.promise })(server);
  });
  const peer = await RawPeer.ready(lab);
  peer.send(frames.headers(1).request("POST", "/volant.test.Lab/Unary", GRPC_FIELDS));
  peer.send(frames.data(1, prefixed(Buffer.alloc(0))).endStream());
  await eventually("the call to run", () => lab.server.handlerCount === 1);
  const drained = lab.server.drain();
  status!.set("volant.test.Lab", "SERVING");
  assert.equal(status!.get("volant.test.Lab"), "NOT_SERVING");
  // Sent before the client knew.
  peer.send(...watchRequest(3, ""));
  assert.match((await peer.answer(3)).at(-1)!, /grpc-status=0/);
  assert.deepEqual(statusesIn(peer.bodies.get(3)), [NOT_SERVING]);
  gate.resolve({});
  await peer.answer(1);
  const ping = await peer.line(/^PING/);
  peer.send(frames.raw(6, 1, 0, Buffer.from(ping.split(" ")[1]!, "hex")));
  await drained;
});

test("50 watchers of our own client do not hold up a drain", async (t) => {
  const { lab, client } = await useHealth(t);
  const watchers = Array.from({ length: 50 }, () => watch(client, ""));
  for (const watcher of watchers) assert.equal(await watcher.next(), SERVING);
  const drained = lab.server.drain({ graceMs: 600_000 });
  for (const watcher of watchers) {
    assert.equal(await watcher.next(), NOT_SERVING);
    assert.equal(await watcher.next(), "end");
  }
  await drained;
});

test("what is no status, or no name, is refused with what is allowed", () => {
  const status = health(new Server());
  const wrong = "serving" as ServingStatus;
  assert.throws(() => status.set("a", wrong), /"a": serving given, one of SERVING, NOT_SERVING, SERVICE_UNKNOWN/);
  assert.throws(() => status.set(7 as unknown as string, "SERVING"), /a number given, a string is allowed/);
});

test("health is added once", () => {
  const server = new Server();
  health(server);
  assert.throws(() => health(server), /grpc\.health\.v1\.Health is registered already/);
});

test("an observer that throws is reported and keeps neither a service nor a drain from going on", async () => {
  const errors: unknown[] = [];
  const server = new Server({ onError: (error) => errors.push(error) });
  const fault = new Error("observer");
  server.observe({
    onServiceAdded: () => {
      throw fault;
    },
    onDraining: () => {
      throw fault;
    },
  });
  const status = health(server);
  await Promise.all([server.drain(), server.drain()]);
  assert.deepEqual(errors, [fault, fault]);
  assert.equal(status.get(""), "NOT_SERVING");
  assert.equal(server.services.includes(Lab), false);
});

function watchRequest(streamId: number, service: string) {
  const message = toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }));
  return [
    frames.headers(streamId).request("POST", "/grpc.health.v1.Health/Watch", GRPC_FIELDS),
    frames.data(streamId, prefixed(message)).endStream(),
  ] as const;
}

/** Each answer is a prefix of five octets, then tag and value. */
function statusesIn(body: Buffer = Buffer.alloc(0)): number[] {
  return Array.from({ length: Math.floor(body.length / 7) }, (_, at) => body[at * 7 + 6]!);
}
