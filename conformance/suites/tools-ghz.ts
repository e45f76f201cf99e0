/**
 * ghz, a load generator. Without a proto it learns the messages by reflection.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { runOrThrow } from "../tools/processes.ts";
import { type Checks, SkippedCase } from "./suite.ts";
import { parseGhzReport } from "./tool-output.ts";
import { addressOf, casesOf, type Target } from "./tools-target.ts";

const PROTO = join(import.meta.dirname, "..", "..", "proto");

type Load = (method: string, data: string, calls: number, ...options: string[]) => Promise<void>;

function loadOn(ghz: string | undefined, target: Target): Load {
  const { files } = target;
  const security = files === undefined ? ["--insecure"] : ["--cacert", files.ca];
  return async (method, data, calls, ...options) => {
    if (ghz === undefined) throw new SkippedCase("there is no ghz");
    const amount = ["-n", String(calls), "-c", "20", "--connections", "4", "-d", data];
    const call = ["--format", "json", "--call", `user.UserService.${method}`, addressOf(target)];
    const { stdout } = await runOrThrow(ghz, [...security, ...amount, ...options, ...call]);
    assert.deepEqual(parseGhzReport(stdout.toString()), { OK: calls });
  };
}

export function ghzBasics(ghz: string | undefined, target: Target): Checks {
  const load = loadOn(ghz, target);
  return casesOf("ghz", target, {
    "2,000 unary calls by reflection": () => load("GetUser", '{"user_id":"123"}', 2_000),
  });
}

export function ghzChecks(ghz: string | undefined, target: Target): Checks {
  const load = loadOn(ghz, target);
  const more = casesOf("ghz", target, {
    "2,000 unary calls with the proto given": () =>
      load("GetUser", '{"user_id":"123"}', 2_000, "--proto", join(PROTO, "user.proto"), "--import-paths", PROTO),
    "200 server streams": () => load("StreamUsers", '{"page_size":20}', 200),
    "100 client streams": () => {
      const users = [0, 1, 2].map((at) => ({ email: `g{{.RequestNumber}}x${at}@example.com`, name: "n" }));
      return load("CreateUserStream", JSON.stringify(users), 100);
    },
    "100 bidirectional streams": () => {
      const messages = [0, 1, 2].map(() => ({ user_id: "alice", room_id: "r{{.RequestNumber}}", content: "c" }));
      return load("UserChat", JSON.stringify(messages), 100);
    },
  });
  return { ...ghzBasics(ghz, target), ...more };
}
