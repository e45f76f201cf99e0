// Owns: the proof that the packed library and `volant/testing` work under the test runners of others: Vitest and Jest, on processes
// of their own, with their fake timers on and off. Jest runs tests in a vm context: errors, signals and arrays of two realms meet there.

import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { INSTALL_TIMEOUT_MS, installConsumer, packLibrary, run } from "./packed-consumer.ts";

const HOUR_MS = 3_600_000;

/** A service that answers everybody but "nobody", over memory. */
const LAB = `
  import { createClient, Server } from "volant";
  import { createTestChannel } from "volant/testing";
  import { UserService } from "./gen/user_pb.js";

  export function open() {
    const server = new Server();
    const getUser = ({ userId }) => (userId === "nobody" ? new Promise(() => undefined) : { user: { id: userId } });
    server.add(UserService, { getUser }, { partial: true });
    const channel = createTestChannel(server);
    const { getUser: ask } = createClient(UserService, channel);
    const close = async () => { await channel.close(); await server.close(); };
    return { ask, idOf: async (userId) => (await ask({ userId })).user.id, close };
  }
`;

/** Both runners have test and expect; the fakes are theirs. Jest takes a test with a parameter for one with a callback. */
const tests = ({ imports, fakes, clock, t, scope }: Record<"imports" | "fakes" | "clock" | "t" | "scope", string>) => `
  ${imports}
  import { RpcError, StatusCode } from "volant";
  import { useFakeClock } from "volant/testing";
  import { open } from "./lab.mjs";

  const own = { setTimeout, setInterval, Date, now: performance.now };
  const isOwn = () => Object.entries({ setTimeout, setInterval, Date, now: performance.now }).every(([name, is]) => is === own[name]);
  ${clock}

  test("a deadline of an hour passes when the test says so", async (${t}) => {
    const clock = ${scope};
    expect(isOwn()).toBe(false);
    const lab = open();
    const late = lab.ask({ userId: "nobody" }, { timeoutMs: ${HOUR_MS} }).catch((error) => error);
    await clock.advance(${HOUR_MS});
    const error = await late;
    expect([error instanceof RpcError, error instanceof Error, error.code]).toEqual([true, true, StatusCode.DEADLINE_EXCEEDED]);
    await lab.close();
  });

  test("the end of the test has put everything back", () => {
    expect(isOwn()).toBe(true);
  });

  test("the runner's fake timers hold up no call, and useFakeClock refuses beside them", async (${t}) => {
    const lab = open();
    ${fakes}.useFakeTimers(FAKES);
    try {
      expect(() => ${scope}).toThrow(/setTimeout is replaced already, by the fake timers of a test tool/);
      expect(await lab.idOf("during")).toBe("during");
    } finally {
      ${fakes}.useRealTimers();
    }
    expect(await lab.idOf("after")).toBe("after");
    await lab.close();
  });

  test("a signal of the test's realm cancels", async () => {
    const lab = open();
    const controller = new AbortController();
    const call = lab.ask({ userId: "nobody" }, { signal: controller.signal }).catch((error) => error);
    controller.abort();
    expect((await call).code).toBe(StatusCode.CANCELLED);
    await lab.close();
  });
`;

const FILES: Readonly<Record<string, string>> = {
  "lab.mjs": LAB,
  "vitest.test.mjs": tests({
    imports: 'import { expect, test, vi } from "vitest";',
    fakes: "vi",
    // All that it can fake on threads.
    clock: `const FAKES = { toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "setImmediate", "clearImmediate",
      "Date", "performance", "queueMicrotask", "nextTick"] };`,
    t: "t",
    scope: "useFakeClock(t)",
  }),
  "jest.test.mjs": tests({
    imports: 'import { afterEach, expect, jest, test } from "@jest/globals";',
    fakes: "jest",
    // Without a list it fakes everything.
    clock: "const FAKES = undefined; let inUse; afterEach(() => inUse?.restore());",
    t: "",
    scope: "(inUse = useFakeClock())",
  }),
};

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
}

describe("the packed library under the test runners of others", { timeout: INSTALL_TIMEOUT_MS }, () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "runners-")));
  const consumer = join(folder, "consumer");

  before(
    async () => {
      const devDependencies = { vitest: "4.1.12", jest: "30.5.2" };
      await installConsumer({ folder: consumer, files: FILES, devDependencies }, await packLibrary(folder));
    },
    { timeout: INSTALL_TIMEOUT_MS },
  );
  after(() => rmSync(folder, { recursive: true }));

  for (const [runner, args, options] of [
    ["Vitest", ["vitest/vitest.mjs", "run", "--pool=threads", "--reporter=json", "--testTimeout=120000"], ""],
    [
      "Jest",
      ["jest/bin/jest.js", "--json", "--testTimeout=120000", "--testMatch", "**/jest.test.mjs"],
      "--experimental-vm-modules",
    ],
  ] as const) {
    test(`${runner}: fake clock, deadlines, cancellation, and calls beside its own fake timers`, async () => {
      const [program, ...rest] = args;
      // What this runner tells its own children is not for theirs.
      const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
      const env = { ...inherited, NODE_OPTIONS: options };
      const command = [
        join(consumer, "node_modules", program),
        ...rest,
        ...(runner === "Vitest" ? ["vitest.test.mjs"] : []),
      ];
      const { stdout } = await run(process.execPath, command, { cwd: consumer, env }).catch(
        (error: { stdout: string; stderr: string }) => assert.fail(`${error.stdout}\n${error.stderr}`),
      );
      const { numPassedTests, numFailedTests } = JSON.parse(stdout) as Report;
      assert.deepEqual([numPassedTests, numFailedTests], [4, 0], stdout);
    });
  }
});
