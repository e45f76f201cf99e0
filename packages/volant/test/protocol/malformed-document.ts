/**
 * `docs/malformed-requests.md` out of the list, so that neither can drift. Owns the text around the table.
 *
 *   node packages/volant/test/protocol/malformed-document.ts      writes it
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { statusName } from "../../src/index.ts";
import { errorCodeName } from "../../src/transport/http2.ts";
import { MALFORMED_REQUESTS, type MalformedRequest, type Verdict } from "./malformed-requests.ts";

export const MALFORMED_FILE: string = join(import.meta.dirname, "../../../../docs/malformed-requests.md");

export function malformedTestName({ detail, name, verdict }: MalformedRequest): string {
  const prefix = detail === undefined ? "RFC 9113 §8" : `gRPC detail ${detail}:`;
  return `${prefix} ${name}: ${verdictText(verdict)}`;
}

const INTRODUCTION = `# What a malformed request gets

A request that breaks a rule ends with the status that the specifications name, or its stream is reset; its connection
goes on with the next call. Nothing of it reaches a handler, an interceptor sees none that has no method, and
\`ServerOptions.onRejected\` hears of those that reached none. Where an HTTP status other than 200 stands, it is for
clients and proxies that do not speak gRPC.

Each row is a test of that name in \`packages/volant/test/protocol\`; numbers are those of [the forty details](details.md).
The other direction is in [malformed-responses.md](malformed-responses.md). This file is written by
\`packages/volant/test/protocol/malformed-document.ts\`; a test fails when it is not up to date.
`;

export function renderMalformed(): string {
  const parts = [...new Set(MALFORMED_REQUESTS.map(({ part }) => part))];
  return `${INTRODUCTION}${parts.map(renderPart).join("")}`;
}

function renderPart(part: string): string {
  const rows = MALFORMED_REQUESTS.filter((request) => request.part === part).map(
    ({ name, detail, verdict }) =>
      `| ${name} | ${httpText(verdict)} | ${verdictText(verdict)} | ${detail ?? "RFC 9113"} |\n`,
  );
  const title = `${part[0]!.toUpperCase()}${part.slice(1)}`;
  return `\n## ${title}\n\n| Request | HTTP | Answer | Rule |\n| --- | --- | --- | --- |\n${rows.join("")}`;
}

function httpText(verdict: Verdict): string {
  if ("reset" in verdict) return "none";
  return String(verdict.http ?? 200);
}

function verdictText(verdict: Verdict): string {
  return "reset" in verdict ? `RST_STREAM ${errorCodeName(verdict.reset)}` : statusName(verdict.code);
}

if (import.meta.main) writeFileSync(MALFORMED_FILE, renderMalformed());
