/**
 * Programs that watch over services, and clients of other makes: grpc-health-probe, grpcio in Python, grpc-js. Each uses its own
 * protos or stubs of health and reflection, so ours are read by somebody who has never seen them.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type GrpcJsTools, openGrpcJsTools } from "../programs/user-grpc-js-tools.ts";
import { type CommandResult, runCommand, runOrThrow } from "../tools/processes.ts";
import { type Checks, SkippedCase } from "./suite.ts";
import { addressOf, casesOf, LISTED_SERVICES, type Target } from "./tools-target.ts";

const PYTHON_PEER = join(import.meta.dirname, "..", "programs", "user_peer.py");

export function healthProbeChecks(probe: string | undefined, target: Target): Checks {
  const ask = (service: string): Promise<CommandResult> => {
    if (probe === undefined) throw new SkippedCase("there is no grpc-health-probe");
    const { files } = target;
    const security = files === undefined ? [] : ["-tls", "-tls-ca-cert", files.ca];
    return runCommand(probe, ["-addr", addressOf(target), "-service", service, ...security]);
  };
  return casesOf("grpc-health-probe", target, {
    "the server, its service, liveness and readiness": async () => {
      for (const name of ["", "user.UserService", "liveness", "readiness"]) {
        const { code, stderr } = await ask(name);
        assert.equal(code, 0, `${name}: ${stderr}`);
        assert.match(stderr, /status: SERVING/);
      }
    },
    "a name that there is not": async () => {
      const { code, stderr } = await ask("nobody");
      assert.notEqual(code, 0);
      assert.match(stderr, /NotFound|unknown service/);
    },
  });
}

interface PythonReport {
  readonly services: readonly string[];
  readonly message: string;
  readonly name: string;
  readonly missing: string;
  readonly streamed: number;
  readonly check: string;
  readonly watch: string;
  readonly unknown: string;
}

export function pythonChecks(python: string | undefined, target: Target): Checks {
  const run = async (): Promise<PythonReport> => {
    if (python === undefined) throw new SkippedCase("there is no grpcio for Python");
    const { files } = target;
    const args = [PYTHON_PEER, addressOf(target), ...(files === undefined ? [] : [files.ca])];
    return JSON.parse((await runOrThrow(python, args)).stdout.toString()) as PythonReport;
  };
  return casesOf("grpcio", target, {
    "list by reflection v1alpha": async () => assert.deepEqual((await run()).services, [...LISTED_SERVICES]),
    "calls with messages made by reflection": async () => {
      const { message, name, missing, streamed } = await run();
      assert.deepEqual([message, missing, streamed], ["User retrieved successfully", "NOT_FOUND", 3]);
      assert.notEqual(name, "");
    },
    "health Check and Watch": async () => {
      const { check, watch, unknown } = await run();
      assert.deepEqual([check, watch, unknown], ["SERVING", "SERVING", "NOT_FOUND"]);
    },
  });
}

export function grpcJsChecks(target: Target): Checks {
  const using = async (check: (tools: GrpcJsTools) => Promise<void>): Promise<void> => {
    const tools = openGrpcJsTools(addressOf(target), target.files?.ca);
    try {
      await check(tools);
    } finally {
      tools.close();
    }
  };
  return casesOf("grpc-js", target, {
    "list by reflection, v1 and v1alpha": () =>
      using(async (tools) => {
        for (const version of ["v1", "v1alpha"] as const) {
          assert.deepEqual(await tools.listServices(version), [...LISTED_SERVICES]);
        }
      }),
    "files by reflection are what proto-loader needs for a call": () =>
      using(async (tools) => assert.equal(await tools.getUserByReflection("123"), "User retrieved successfully")),
    "health Check and Watch": () =>
      using(async (tools) => {
        assert.equal(await tools.check("readiness"), "SERVING");
        assert.equal(await tools.firstWatched("user.UserService"), "SERVING");
        assert.equal(await tools.firstWatched("nobody"), "SERVICE_UNKNOWN");
      }),
  });
}
