/**
 * Our server behind HAProxy, HTTP/2 on both sides. HAProxy puts calls of several clients on one connection to the server
 * and passes resets on. With TLS both sides agree on HTTP/2 by ALPN.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IdentityFiles } from "../programs/certificates.ts";
import { freePort, type RunningServer, startServer } from "../tools/processes.ts";
import { runProxied } from "./proxied-calls.ts";
import type { Suite } from "./suite.ts";

function configuration(port: number, backendPort: number, files?: IdentityFiles): string {
  const toClients = files === undefined ? "proto h2" : `ssl crt ${files.both} alpn h2`;
  const toServer =
    files === undefined
      ? "proto h2"
      : `ssl alpn h2 verify required ca-file ${files.ca} verifyhost localhost sni str(localhost)`;
  return `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s

frontend clients
  bind 127.0.0.1:${port} ${toClients}
  default_backend servers

backend servers
  server first 127.0.0.1:${backendPort} ${toServer}
`;
}

export async function startHaproxy(
  haproxyPath: string,
  backendPort: number,
  files?: IdentityFiles,
): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), "haproxy-"));
  const port = await freePort();
  const file = join(folder, "haproxy.cfg");
  writeFileSync(file, configuration(port, backendPort, files));
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
  run: ({ tool }) => runProxied((backendPort, files) => startHaproxy(tool("haproxy"), backendPort, files)),
};
