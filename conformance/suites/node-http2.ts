/**
 * Interoperation with `node:http2` (nghttp2) over cleartext: our server with its client, and our client with its server.
 */
import { nodeClientChecks } from "./node-http2-client.ts";
import { nodeServerChecks } from "./node-http2-server.ts";
import { runChecks, type Suite } from "./suite.ts";

export const nodeHttp2: Suite = {
  name: "node-http2",
  isFast: true,
  tools: [],
  run: async () => [
    { role: "server", cases: await runChecks(nodeClientChecks()) },
    { role: "client", cases: await runChecks(nodeServerChecks()) },
  ],
};
