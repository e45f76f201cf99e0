/**
 * The checks that a suite with a proxy runs: calls of all kinds from a client, through the proxy, to our server. Owns what
 * must come out; knows neither the proxy nor which client it is. With TLS it is on both sides of the proxy.
 */
import assert from "node:assert/strict";
import { StatusCode } from "volant";
import { type IdentityFiles, testIdentity, writeTestIdentity } from "../programs/certificates.ts";
import { GrpcJsUserClient } from "../programs/grpc-js-user-client.ts";
import { CallFailure, type UserClient } from "../programs/user-client.ts";
import { CRASHING_ID, MISSING_ID, STUCK_ID, startUserServer, type TestUserServer } from "../programs/user-service.ts";
import { VolantUserClient } from "../programs/volant-user-client.ts";
import { freePort, type RunningServer } from "../tools/processes.ts";
import { type CaseResult, type Check, type Checks, type RoleResult, runChecks } from "./suite.ts";
import { WIRES, type Wire } from "./wires.ts";

/** With `files` it speaks TLS on both sides. */
export type StartProxy = (backendPort: number, files: IdentityFiles | undefined) => Promise<RunningServer>;
type Connect = (port: number, ca: string | undefined) => UserClient;

const MEGABYTE = 1_000_000;
const range = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

/** Ours as the server with grpc-js as the client, then ours on both sides. */
export async function runProxied(startProxy: StartProxy): Promise<readonly RoleResult[]> {
  const files = writeTestIdentity();
  const clients: Readonly<Record<RoleResult["role"], Connect>> = {
    server: (port, ca) => new GrpcJsUserClient(port, ca),
    client: (port, ca) => new VolantUserClient(port, ca),
  };
  try {
    const results: RoleResult[] = [];
    for (const role of ["server", "client"] as const) {
      const cases: CaseResult[] = [];
      for (const wire of WIRES) cases.push(...(await runThrough(wireSetup(wire, files, startProxy, clients[role]))));
      results.push({ role, cases });
    }
    return results;
  } finally {
    files.remove();
  }
}

/** Everything that differs from one wire to the other. */
interface Setup {
  readonly wire: Wire;
  readonly startBackend: () => Promise<TestUserServer>;
  readonly startProxy: (backendPort: number) => Promise<RunningServer>;
  readonly connect: (port: number) => UserClient;
}

function wireSetup(wire: Wire, files: IdentityFiles, startProxy: StartProxy, connect: Connect): Setup {
  const { ca, cert, key } = testIdentity();
  const isSecure = wire === "TLS";
  return {
    wire,
    startBackend: () => startUserServer(isSecure ? { cert, key } : undefined),
    startProxy: (backendPort) => startProxy(backendPort, isSecure ? files : undefined),
    connect: (port) => connect(port, isSecure ? ca : undefined),
  };
}

async function runThrough(setup: Setup): Promise<CaseResult[]> {
  const backend = await setup.startBackend();
  const proxy = await setup.startProxy(backend.port);
  const client = setup.connect(proxy.port);
  try {
    const cases = await runChecks({
      ...unaryChecks(client),
      ...failureChecks(client),
      ...streamingChecks(client),
      ...cancellationChecks(client, backend),
      ...absenceChecks(setup),
    });
    return cases.map((each) => ({ ...each, name: `${setup.wire}: ${each.name}` }));
  } finally {
    await client.close();
    await proxy.stop();
    await backend.server.close();
  }
}

function unaryChecks(client: UserClient): Checks {
  const getUser = async (id: string): Promise<void> => assert.equal((await client.getUser(id)).id, id);
  return {
    "a unary call": () => getUser("alice"),
    "an empty request and answer": () => getUser(""),
    "300 unary calls at once": async () => void (await Promise.all(range(300).map((at) => getUser(`user-${at}`)))),
    "3,000 unary calls, more than a proxy allows on a connection": async () => {
      for (const batch of range(60)) await Promise.all(range(50).map((at) => getUser(`user-${batch}-${at}`)));
    },
    "3 MB in the request and in the answer": async () => {
      const name = "n".repeat(3 * MEGABYTE);
      assert.equal(await client.createUser(name), name);
    },
    "20 messages of 1 MB both ways at once": async () => {
      const names = range(20).map((at) => String.fromCharCode(97 + at).repeat(MEGABYTE));
      assert.deepEqual(await Promise.all(names.map((name) => client.createUser(name))), names);
    },
    "metadata, text and binary, there and back in headers and trailers": async () => {
      const octets = Buffer.from(range(256));
      const { headers, trailers } = await client.getUser("a", { metadata: { "x-echo": "a b", "x-echo-bin": octets } });
      assert.deepEqual([headers["x-echo"], trailers["x-echo-trailer"]], ["a b", "a b"]);
      for (const value of [headers["x-echo-bin"], trailers["x-echo-trailer-bin"]]) {
        assert.ok(value instanceof Uint8Array && octets.equals(value), "the octets came back");
      }
    },
  };
}

function failsWith(code: StatusCode, message?: string | RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof CallFailure, String(error));
    assert.equal(error.code, code, error.message);
    if (typeof message === "string") assert.equal(error.message, message);
    else if (message !== undefined) assert.match(error.message, message);
    return true;
  };
}

function failureChecks(client: UserClient): Checks {
  return {
    "an error with its message and its details": async () => {
      const call = client.getUser(MISSING_ID);
      await assert.rejects(call, failsWith(StatusCode.NOT_FOUND, `User ${MISSING_ID} not found: é%`));
      await assert.rejects(call, ({ hasDetails }: CallFailure) => hasDetails);
    },
    "an unexpected error says nothing of its cause": async () => {
      await assert.rejects(client.getUser(CRASHING_ID), failsWith(StatusCode.INTERNAL, "internal error"));
    },
    "a method without a handler": async () => {
      await assert.rejects(client.updateUser(), failsWith(StatusCode.UNIMPLEMENTED));
    },
    "200 errors at once, then a call": async () => {
      const fails = (): Promise<void> => assert.rejects(client.getUser(MISSING_ID), failsWith(StatusCode.NOT_FOUND));
      await Promise.all(range(200).map(fails));
      await client.getUser("alice");
    },
  };
}

function streamingChecks(client: UserClient): Checks {
  const checks: Record<string, Check> = {};
  for (const count of [0, 1, 5_000]) {
    checks[`server streaming: ${count} messages`] = async () => assert.equal(await client.streamUsers(count), count);
    checks[`client streaming: ${count} messages`] = async () => {
      const names = range(count).map(() => "name");
      assert.deepEqual(await client.createUserStream(names), { count, octets: 4 * count });
    };
  }
  const texts = range(200).map((at) => `text ${at}`);
  return {
    ...checks,
    "20 server streams at once": async () => {
      const counts = await Promise.all(range(20).map(() => client.streamUsers(500)));
      assert.deepEqual(
        counts,
        range(20).map(() => 500),
      );
    },
    "client streaming: 20 MB in messages of 1 MB": async () => {
      const names = range(20).map(() => "n".repeat(MEGABYTE));
      assert.deepEqual(await client.createUserStream(names), { count: 20, octets: 20 * MEGABYTE });
    },
    "bidirectional: 200 messages, each after the answer to the one before": async () => {
      assert.deepEqual(await client.userChat(texts), texts);
    },
    "bidirectional: 50 streams at once": async () => {
      const conversations = await Promise.all(range(50).map(() => client.userChat(texts.slice(0, 20))));
      for (const answers of conversations) assert.deepEqual(answers, texts.slice(0, 20));
    },
  };
}

function cancellationChecks(client: UserClient, { nextCancelled }: TestUserServer): Checks {
  return {
    "a deadline ends the call on both sides": async () => {
      const cancelled = nextCancelled();
      await assert.rejects(client.getUser(STUCK_ID, { timeoutMs: 200 }), failsWith(StatusCode.DEADLINE_EXCEEDED));
      assert.equal(await cancelled, "GetUser");
    },
    "a cancelled unary call ends the handler": async () => {
      const controller = new AbortController();
      const cancelled = nextCancelled();
      const call = client.getUser(STUCK_ID, { signal: controller.signal });
      // The call is on its way once a later one on the same connection was answered.
      await client.getUser("alice");
      controller.abort();
      await assert.rejects(call, failsWith(StatusCode.CANCELLED));
      assert.equal(await cancelled, "GetUser");
    },
    "leaving a server stream ends the handler": async () => {
      const cancelled = nextCancelled();
      assert.equal(await client.streamUsers(10, { filter: STUCK_ID, leaveAfter: 3 }), 3);
      assert.equal(await cancelled, "StreamUsers");
    },
    "50 cancelled calls, then a call": async () => {
      const controllers = range(50).map(() => new AbortController());
      const calls = controllers.map(({ signal }) => client.getUser(STUCK_ID, { signal }));
      await client.getUser("alice");
      for (const controller of controllers) controller.abort();
      for (const call of calls) await assert.rejects(call, failsWith(StatusCode.CANCELLED));
      assert.equal((await client.getUser("alice")).id, "alice");
    },
  };
}

function absenceChecks({ startBackend, startProxy, connect }: Setup): Checks {
  return {
    "a proxy without a server answers UNAVAILABLE": async () => {
      const proxy = await startProxy(await freePort());
      const client = connect(proxy.port);
      try {
        await assert.rejects(client.getUser("alice"), failsWith(StatusCode.UNAVAILABLE));
      } finally {
        await client.close();
        await proxy.stop();
      }
    },
    "a drain of our server lets the call under way finish": async () => {
      const backend = await startBackend();
      const proxy = await startProxy(backend.port);
      const client = connect(proxy.port);
      try {
        const conversation = client.userChat(range(500).map(String));
        await client.getUser("alice");
        await Promise.all([backend.server.drain(), conversation]);
        assert.equal((await conversation).length, 500);
      } finally {
        await client.close();
        await proxy.stop();
      }
    },
  };
}
