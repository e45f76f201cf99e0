/**
 * Interoperation with `node:http2` (nghttp2): our server with its client, and our client with its server, each
 * over cleartext and over TLS with ALPN.
 */
import { nodeClientChecks } from "./node-http2-client.ts";
import { nodeServerChecks } from "./node-http2-server.ts";
import { runChecks, type Suite } from "./suite.ts";
import { onBothWires } from "./wires.ts";

export const nodeHttp2: Suite = {
  name: "node-http2",
  isFast: true,
  tools: [],
  peer: "node:http2",
  run: async () => [
    { role: "server", cases: await runChecks(onBothWires(nodeClientChecks)) },
    { role: "client", cases: await runChecks(onBothWires(nodeServerChecks)) },
  ],
};
