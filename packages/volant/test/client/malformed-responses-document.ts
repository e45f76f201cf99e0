/**
 * `docs/malformed-responses.md` out of the list, so that neither can drift. Owns the text around the table.
 *
 *   node packages/volant/test/client/malformed-responses-document.ts      writes it
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { statusName } from "volant";
import { MALFORMED_RESPONSES, type MalformedResponse } from "./malformed-responses.ts";

export const MALFORMED_RESPONSES_FILE: string = join(import.meta.dirname, "../../../../docs/malformed-responses.md");

export function responseTestName({ detail, name, code }: MalformedResponse): string {
  return `${detail === undefined ? "RFC 9113 §8" : `gRPC detail ${detail}:`} ${name}: ${statusName(code)}`;
}

const INTRODUCTION = `# What a malformed response becomes

A call whose response breaks a rule ends once, with the status that the specifications name; the error's text says what
was wrong. Its connection goes on with the next call, unless the server broke a rule of the connection itself: then every call on
it is UNAVAILABLE.

Each row is a test of that name in \`packages/volant/test/client\`; numbers are those of [the forty details](details.md). The
other direction is in [malformed-requests.md](malformed-requests.md). This file is written by
\`packages/volant/test/client/malformed-responses-document.ts\`; a test fails when it is not up to date.
`;

export function renderResponses(): string {
  const parts = [...new Set(MALFORMED_RESPONSES.map(({ part }) => part))];
  return `${INTRODUCTION}${parts.map(renderPart).join("")}`;
}

function renderPart(part: string): string {
  const rows = MALFORMED_RESPONSES.filter((response) => response.part === part).map(
    ({ name, detail, code }) => `| ${name} | ${statusName(code)} | ${detail ?? "RFC 9113"} |\n`,
  );
  const title = `${part[0]!.toUpperCase()}${part.slice(1)}`;
  return `\n## ${title}\n\n| Response | Status | Rule |\n| --- | --- | --- |\n${rows.join("")}`;
}

if (import.meta.main) writeFileSync(MALFORMED_RESPONSES_FILE, renderResponses());
