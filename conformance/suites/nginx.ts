/**
 * Our server behind nginx's `grpc_pass`, and behind `grpcs://` with a certificate that nginx checks. nginx ends a connection
 * of a client after 1,000 requests and its own connections to the server likewise, and cancels a call at the server by
 * closing the connection.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IdentityFiles } from "../programs/certificates.ts";
import { freePort, type RunningServer, startServer } from "../tools/processes.ts";
import { runProxied } from "./proxied-calls.ts";
import type { Suite } from "./suite.ts";

/** Everything nginx writes goes to `folder`; a root master would otherwise hand it to a user that may not. */
function configuration(folder: string, port: number, backendPort: number, files?: IdentityFiles): string {
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  return `
    ${process.getuid?.() === 0 ? "user root;" : ""}
    daemon off;
    worker_processes 1;
    pid ${join(folder, "pid")};
    error_log ${join(folder, "error.log")};
    events { worker_connections 1024; }
    http {
      access_log off;
      ${paths.join("\n")}
      client_max_body_size 0;
      upstream backend { server 127.0.0.1:${backendPort}; keepalive 16; }
      server {
        listen 127.0.0.1:${port} ${files === undefined ? "" : "ssl"} http2;
        ${files === undefined ? "" : secureLines(files)}
        location / { grpc_pass ${files === undefined ? "grpc" : "grpcs"}://backend; }
      }
    }`;
}

const secureLines = ({ cert, key, ca }: IdentityFiles): string => `
        ssl_certificate ${cert};
        ssl_certificate_key ${key};
        grpc_ssl_name localhost;
        grpc_ssl_server_name on;
        grpc_ssl_verify on;
        grpc_ssl_trusted_certificate ${ca};`;

export async function startNginx(
  nginxPath: string,
  backendPort: number,
  files?: IdentityFiles,
): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), "nginx-"));
  const port = await freePort();
  const file = join(folder, "nginx.conf");
  writeFileSync(file, configuration(folder, port, backendPort, files));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const args = ["-e", join(folder, "error.log"), "-p", folder, "-c", file];
    const { stop } = await startServer(nginxPath, args, port);
    return { port, stop: () => stop().finally(removeFolder) };
  } catch (error) {
    removeFolder();
    throw error;
  }
}

export const nginx: Suite = {
  name: "nginx",
  isFast: false,
  tools: ["nginx"],
  run: ({ tool }) => runProxied((backendPort, files) => startNginx(tool("nginx"), backendPort, files)),
};
