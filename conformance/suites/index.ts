/**
 * The list of suites, in the order in which they run.
 */
import { attacks } from "./attacks.ts";
import { connectconformance } from "./connectconformance.ts";
import { curl } from "./curl.ts";
import { frames } from "./frames.ts";
import { h2spec } from "./h2spec.ts";
import { h2specd } from "./h2specd.ts";
import { haproxy } from "./haproxy.ts";
import { hpack } from "./hpack.ts";
import { interop } from "./interop.ts";
import { interopGrpcGo } from "./interop-grpc-go.ts";
import { interopGrpcio } from "./interop-grpcio.ts";
import { negativeHttp2, negativeHttp2Script } from "./negative-http2.ts";
import { nginx } from "./nginx.ts";
import { nodeHttp2 } from "./node-http2.ts";
import { stalledReaders } from "./stalled-readers.ts";
import type { Suite } from "./suite.ts";
import { tools } from "./tools.ts";

export const SUITES: readonly Suite[] = [
  hpack,
  frames,
  attacks,
  stalledReaders,
  h2spec,
  h2specd,
  nodeHttp2,
  curl,
  nginx,
  haproxy,
  tools,
  interop,
  negativeHttp2,
  negativeHttp2Script,
  interopGrpcio,
  interopGrpcGo,
  connectconformance,
];
