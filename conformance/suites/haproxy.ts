/**
 * Our server behind HAProxy, HTTP/2 on both sides. HAProxy puts calls of several clients on one connection to the server
 * and passes resets on.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, type RunningServer, startServer } from "../tools/processes.ts";
import { runProxied } from "./proxied-calls.ts";
import type { Suite } from "./suite.ts";

function configuration(port: number, backendPort: number): string {
  return `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s

frontend clients
  bind 127.0.0.1:${port} proto h2
  default_backend servers

backend servers
  server first 127.0.0.1:${backendPort} proto h2
`;
}

async function startHaproxy(haproxyPath: string, backendPort: number): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), "haproxy-"));
  const port = await freePort();
  const file = join(folder, "haproxy.cfg");
  writeFileSync(file, configuration(port, backendPort));
  try {
    // -db: in the foreground.
    return await startServer(haproxyPath, ["-db", "-f", file], port);
  } finally {
    // It has read the file once it listens.
    rmSync(folder, { recursive: true });
  }
}

export const haproxy: Suite = {
  name: "haproxy",
  isFast: false,
  tools: ["haproxy"],
  run: ({ tool }) => runProxied((backendPort) => startHaproxy(tool("haproxy"), backendPort)),
};
