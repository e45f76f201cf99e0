/**
 * gRPC's interop suite with grpcio for Python, which is C-core: `programs/interop_peer.py` is its client and its server. The
 * cases are those of grpc-go and the compressed ones, in cleartext and over TLS.
 */
import { join } from "node:path";
import { INTEROP_CASES, type InteropCaseName } from "../programs/interop-cases.ts";
import { freePort, type RunningServer, runOrThrow, startServer } from "../tools/processes.ts";
import { ourCompressedCases, peerCompressedCases } from "./interop-compressed.ts";
import { ourCases, peerCases, type Setting, TLS_SERVER_NAME, type Unable } from "./interop-setting.ts";
import type { Suite, SuiteContext } from "./suite.ts";

const PEER = join(import.meta.dirname, "..", "programs", "interop_peer.py");
const PROTOS = join(import.meta.dirname, "..", "..", "proto");

const NAMES = Object.keys(INTEROP_CASES) as InteropCaseName[];

const CLIENT_CANNOT: Unable = {
  orca_per_rpc: "C-core keeps the load report for its own balancers",
};

async function run({ tool }: SuiteContext): ReturnType<Suite["run"]> {
  const python = tool("grpcio");
  const startPython = async ({ tls }: Setting): Promise<RunningServer> => {
    const port = await freePort();
    const files = tls === undefined ? [] : [tls.cert, tls.key];
    return startServer(python, [PEER, "server", PROTOS, String(port), ...files], port);
  };
  const playPython = async (name: string, port: number, { tls }: Setting): Promise<void> => {
    const secure = tls === undefined ? [] : [tls.ca, TLS_SERVER_NAME];
    await runOrThrow(python, [PEER, "client", PROTOS, String(port), name, ...secure]);
  };
  const asServer = await peerCases(NAMES, CLIENT_CANNOT, playPython);
  const asClient = await ourCases(NAMES, {}, startPython);
  return [
    { role: "server", cases: [...asServer, ...(await peerCompressedCases(playPython))] },
    { role: "client", cases: [...asClient, ...(await ourCompressedCases(startPython, false))] },
  ];
}

export const interopGrpcio: Suite = { name: "interop-grpcio", isFast: false, tools: ["grpcio"], run };
