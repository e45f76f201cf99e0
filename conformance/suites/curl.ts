/**
 * Tools that people reach for: curl, nghttp and h2load against our echo server, over cleartext (with prior knowledge of
 * HTTP/2) and over TLS (by ALPN). All three are built on nghttp2, which is not the point: their defaults differ, and so does
 * what they put on the wire.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Http2Options } from "volant/http2";
import { patternBody } from "../programs/body.ts";
import { testIdentity, writeTestIdentity } from "../programs/certificates.ts";
import { type EchoServer, startEchoServer } from "../programs/echo-server.ts";
import { type CommandResult, runOrThrow } from "../tools/processes.ts";
import { BODY_SIZES } from "./body-sizes.ts";
import { parseH2load, parseNghttpTrace } from "./nghttp-output.ts";
import { type Check, type Checks, runChecks, SkippedCase, type Suite, type SuiteContext } from "./suite.ts";
import { onBothWires, type Wire } from "./wires.ts";

type Run = (args: readonly string[], stdin?: Buffer) => Promise<CommandResult>;
type Use = (run: Run, url: string, echo: EchoServer) => Promise<void>;

/** A program, and how it reaches the server. */
interface Program {
  readonly command: string | undefined;
  readonly fixed: readonly string[];
  readonly wire: Wire;
}

/** A check with a server of its own. */
function withEcho({ command, fixed, wire }: Program, use: Use, options: Http2Options = {}): Check {
  return async () => {
    if (command === undefined) throw new SkippedCase("there is no such command here");
    const isSecure = wire === "TLS";
    const echo = await startEchoServer(options, isSecure ? testIdentity() : undefined);
    const run: Run = (args, stdin) => runOrThrow(command, [...fixed, ...args], stdin === undefined ? {} : { stdin });
    try {
      await use(run, `${isSecure ? "https" : "http"}://127.0.0.1:${echo.port}`, echo);
    } finally {
      await echo.close();
    }
  };
}

async function withBodyFile(body: Buffer, use: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "conformance-"));
  const file = join(folder, "body");
  writeFileSync(file, body);
  try {
    await use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const repeated = (count: number, ...items: readonly string[]): string[] =>
  Array.from({ length: count }, () => items).flat();

function curlChecks(curl: string, wire: Wire, ca: string): Checks {
  const protocol = wire === "TLS" ? ["--http2", "--cacert", ca] : ["--http2-prior-knowledge"];
  const fixed = [...protocol, "--silent", "--show-error", "--fail", "--max-time", "50"];
  const check = (use: Use, options?: Http2Options): Check => withEcho({ command: curl, fixed, wire }, use, options);
  const checks: Record<string, Check> = {};
  for (const bytes of BODY_SIZES) {
    checks[`curl downloads ${bytes} octets`] = check(async (run, url) => {
      const { stdout } = await run([`${url}/bytes/${bytes}`]);
      assert.ok(stdout.equals(patternBody(bytes)), `${stdout.length} octets came`);
    });
    checks[`curl uploads ${bytes} octets`] = check((run, url) =>
      withBodyFile(patternBody(bytes), async (file) => {
        const { stdout } = await run(["--data-binary", `@${file}`, url]);
        assert.ok(stdout.equals(patternBody(bytes)), `${stdout.length} octets came back`);
      }),
    );
  }
  return { ...checks, ...curlBehaviourChecks(check), ...curlLimitChecks(check) };
}

function curlBehaviourChecks(check: (use: Use, options?: Http2Options) => Check): Checks {
  return {
    "curl GET is HTTP/2 and 200": check(async (run, url) => {
      const { stdout } = await run(["--write-out", "%{http_version} %{response_code}", url]);
      assert.equal(stdout.toString(), "hello\n2 200");
    }),
    "curl uploads from a pipe, of unknown length": check(async (run, url) => {
      const body = patternBody(300_000);
      assert.ok((await run(["--upload-file", "-", url], body)).stdout.equals(body));
    }),
    "curl sees response trailers": check(async (run, url) => {
      const { stdout } = await run(["--include", `${url}/trailers`]);
      assert.match(stdout.toString(), /hello\n[\s\S]*x-check: 1/);
    }),
    "curl sends 200 requests on one connection": check(async (run, url, echo) => {
      await skipWithoutReuse(run, url);
      const { stdout } = await run(["--write-out", "%{num_connects}\n", ...repeated(200, `${url}/`)]);
      const connects = stdout.toString().match(/^\d+$/gm) ?? [];
      assert.deepEqual([connects.length, connects.filter((count) => count === "1").length], [200, 1]);
      assert.ok(echo.connections.size <= 1);
    }),
    "curl sends 200 requests in parallel": check(async (run, url) => {
      await skipWithoutReuse(run, url);
      const args = ["--parallel", "--parallel-max", "100", ...repeated(200, `${url}/bytes/10000`)];
      assert.equal((await run(args)).stdout.length, 200 * 10_000);
    }),
    "curl sees a header of 14,000 octets": check(async (run, url) => {
      assert.ok((await run(["--include", `${url}/headers/14000`])).stdout.includes(`x-large: ${"v".repeat(14_000)}`));
    }),
    "curl sends a header of 12,000 octets": check(async (run, url) => {
      assert.equal((await run(["--header", `x-large: ${"v".repeat(12_000)}`, url])).stdout.toString(), "hello\n");
    }),
  };
}

function curlLimitChecks(check: (use: Use, options?: Http2Options) => Check): Checks {
  return {
    "curl reports our reset": check(async (run, url) => {
      await assert.rejects(run([`${url}/reset/2`]), /INTERNAL_ERROR/);
    }),
    "curl finishes on a connection that drains": check(async (run, url) => {
      assert.equal((await run([`${url}/drain`, url])).stdout.toString(), "hello\nhello\n");
    }),
    "curl asks for HTTP/1.1 and is told that this is HTTP/2": check(async (run, url) => {
      await assert.rejects(run(["--http1.1", url]));
    }),
    "curl HEAD gets no body": check(async (run, url) => {
      assert.match((await run(["--head", "--max-time", "5", `${url}/bytes/0`])).stdout.toString(), /^HTTP\/2 200/);
    }),
    "curl through our small windows": check(
      (run, url) =>
        withBodyFile(patternBody(500_000), async (file) => {
          assert.ok((await run(["--data-binary", `@${file}`, url])).stdout.equals(patternBody(500_000)));
        }),
      { initialStreamWindowBytes: 1_000, connectionWindowBytes: 65_535 },
    ),
  };
}

/** The curl of Debian 12 fails at the second request on a connection without TLS, with every server. */
async function skipWithoutReuse(run: Run, url: string): Promise<void> {
  if (url.startsWith("https:")) return;
  const version = (await run(["--version"])).stdout.toString();
  if (version.startsWith("curl 7.88.")) {
    throw new SkippedCase(
      "curl 7.88 cannot send a second request on a cleartext HTTP/2 connection, whatever the server",
    );
  }
}

function nghttpChecks(command: string | undefined, wire: Wire): Checks {
  const program = { command, fixed: ["--no-verify-peer"], wire };
  const check = (use: Use, options?: Http2Options): Check => withEcho(program, use, options);
  return {
    "nghttp downloads, in every size of window": check(async (run, url) => {
      for (const bits of [1, 6, 10, 16, 24]) {
        // A megabyte through a window of one octet is an attack, and is answered as one.
        const bytes = Math.min(2 ** bits * 500, 1_000_000);
        const { stdout } = await run(["--window-bits", String(bits), `${url}/bytes/${bytes}`]);
        assert.ok(stdout.equals(patternBody(bytes)), `2^${bits}-1: ${stdout.length} octets came`);
      }
    }),
    "nghttp uploads with trailers, which come back": check((run, url) =>
      withBodyFile(patternBody(100_000), async (file) => {
        const { stdout } = await run(["-nv", "--data", file, "--trailer", "x-sum: 7", `${url}/`]);
        const { headers, dataBytes } = parseNghttpTrace(stdout.toString());
        assert.deepEqual([headers.at(-1)?.["x-sum"], dataBytes], ["7", 100_000]);
      }),
    ),
    "nghttp pads its frames": check((run, url) =>
      withBodyFile(patternBody(100_000), async (file) => {
        const { stdout } = await run(["--padding", "255", "--data", file, `${url}/`]);
        assert.ok(stdout.equals(patternBody(100_000)));
      }),
    ),
    "nghttp sends CONTINUATION frames": check(
      async (run, url) => {
        const { stdout } = await run(["--continuation", `${url}/`]);
        assert.equal(stdout.toString(), "hello\n");
      },
      { maxHeaderListBytes: 65_536 },
    ),
    "nghttp changes the header table": check(async (run, url) => {
      for (const size of ["0", "100", "65536"]) {
        const args = ["--header-table-size", size, "--encoder-header-table-size", size, "--multiply", "20", `${url}/`];
        assert.equal((await run(args)).stdout.length, 20 * "hello\n".length, `table of ${size}`);
      }
    }),
    "nghttp sends 100 requests at once": check(async (run, url) => {
      const { stdout } = await run(["--multiply", "100", `${url}/bytes/5000`]);
      assert.equal(stdout.length, 100 * 5_000);
    }),
    "nghttp takes an answer that comes before its body is sent": check((run, url) =>
      withBodyFile(patternBody(2_000_000), async (file) => {
        const { stdout } = await run(["--data", file, `${url}/early`]);
        assert.equal(stdout.toString(), "hello\n");
      }),
    ),
  };
}

function h2loadChecks(command: string | undefined, wire: Wire): Checks {
  const check = (use: Use): Check => withEcho({ command, fixed: ["--warm-up-time=0"], wire }, use);
  const load = async (run: Run, ...args: readonly string[]): Promise<void> => {
    const { stdout } = await run(args);
    const { started, succeeded } = parseH2load(stdout.toString());
    assert.ok(started > 0 && succeeded === started, stdout.toString().slice(-600));
  };
  return {
    "h2load: 10,000 requests, 8 connections, 100 streams each": check((run, url) =>
      load(run, "-n", "10000", "-c", "8", "-m", "100", `${url}/`),
    ),
    "h2load: 2,000 uploads of 20,000 octets": check((run, url) =>
      withBodyFile(patternBody(20_000), (file) =>
        load(run, "-n", "2000", "-c", "4", "-m", "50", "-d", file, `${url}/`),
      ),
    ),
    "h2load: 2,000 downloads of 20,000 octets, small windows": check((run, url) =>
      load(run, "-n", "2000", "-c", "4", "-m", "50", "-w", "10", "-W", "16", `${url}/bytes/20000`),
    ),
  };
}

async function run({ tool, optionalTool }: SuiteContext): ReturnType<Suite["run"]> {
  const files = writeTestIdentity();
  const checks = onBothWires((wire) => ({
    ...curlChecks(tool("curl"), wire, files.ca),
    ...nghttpChecks(optionalTool("nghttp"), wire),
    ...h2loadChecks(optionalTool("h2load"), wire),
  }));
  try {
    return [{ role: "server", cases: await runChecks(checks) }];
  } finally {
    files.remove();
  }
}

export const curl: Suite = {
  name: "curl",
  isFast: true,
  tools: ["curl"],
  optionalTools: ["nghttp", "h2load"],
  run,
};
