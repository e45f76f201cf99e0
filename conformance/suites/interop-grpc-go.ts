/**
 * gRPC's interop suite with grpc-go: its client against our server, our client against its server, every case that needs no
 * cloud, in cleartext and over TLS, and both soaks.
 */
import { INTEROP_CASES, type InteropCaseName } from "../programs/interop-cases.ts";
import { freePort, type RunningServer, runOrThrow, startServer } from "../tools/processes.ts";
import {
  CLEARTEXT,
  ourCases,
  ourSoaks,
  peerCases,
  type Setting,
  SOAK,
  SOAK_LIMIT_MS,
  startOurServer,
  TLS_SERVER_NAME,
  type Unable,
} from "./interop-setting.ts";
import { type CaseResult, runChecks, type Suite, type SuiteContext } from "./suite.ts";

const ORCA_CONFIG = '{"loadBalancingConfig":[{"test_backend_metrics_load_balancer":{}}]}';

const NAMES = Object.keys(INTEROP_CASES) as InteropCaseName[];

const CLIENT_CANNOT: Unable = { cacheable_unary: "grpc-go's client does not have it" };

const SERVER_CANNOT: Unable = {
  pick_first_unary: "grpc-go's server does not say its id",
  cacheable_unary: "grpc-go's server does not have CacheableUnaryCall",
};

async function playGo(
  client: string,
  name: string,
  port: number,
  more: readonly string[],
  timeoutMs = 60_000,
): Promise<void> {
  const address = ["--server_host=127.0.0.1", `--server_port=${port}`, `--test_case=${name}`];
  await runOrThrow(client, [...address, ...more], { timeoutMs });
}

function optionsFor(name: string, { tls }: Setting): string[] {
  const secure = ["--use_tls", "--use_test_ca", `--ca_file=${tls?.ca}`, `--server_host_override=${TLS_SERVER_NAME}`];
  const orca = name.startsWith("orca_") ? [`--service_config_json=${ORCA_CONFIG}`] : [];
  return [...(tls === undefined ? [] : secure), ...orca];
}

async function soakOurServer(client: string): Promise<CaseResult[]> {
  const server = await startOurServer(CLEARTEXT);
  const options = [
    `--soak_iterations=${SOAK.iterations}`,
    `--soak_num_threads=${SOAK.width}`,
    `--soak_per_iteration_max_acceptable_latency_ms=${SOAK.maxLatencyMs}`,
    `--soak_overall_timeout_seconds=${SOAK_LIMIT_MS / 1_000}`,
  ];
  const play = (name: string) => () => playGo(client, name, server.port, options, SOAK_LIMIT_MS);
  try {
    return await runChecks({ rpc_soak: play("rpc_soak"), channel_soak: play("channel_soak") }, SOAK_LIMIT_MS);
  } finally {
    await server.stop();
  }
}

async function run({ tool, log }: SuiteContext): ReturnType<Suite["run"]> {
  const client = tool("grpc-go-interop-client");
  const startGo = async ({ tls }: Setting): Promise<RunningServer> => {
    const port = await freePort();
    const secure = tls === undefined ? [] : ["--use_tls", `--tls_cert_file=${tls.cert}`, `--tls_key_file=${tls.key}`];
    return startServer(tool("grpc-go-interop-server"), [`--port=${port}`, ...secure], port);
  };
  const asServer = await peerCases(NAMES, CLIENT_CANNOT, (name, port, setting) =>
    playGo(client, name, port, optionsFor(name, setting)),
  );
  const asClient = await ourCases(NAMES, SERVER_CANNOT, startGo);
  log(`soaks of ${SOAK.iterations} calls`);
  return [
    { role: "server", cases: [...asServer, ...(await soakOurServer(client))] },
    { role: "client", cases: [...asClient, ...(await ourSoaks(startGo))] },
  ];
}

export const interopGrpcGo: Suite = {
  name: "interop-grpc-go",
  isFast: false,
  tools: ["grpc-go-interop-client", "grpc-go-interop-server"],
  run,
};
