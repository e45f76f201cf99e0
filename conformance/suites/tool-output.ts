/**
 * What grpcurl, buf curl and ghz print. Owns these formats.
 */

/** JSON objects one after the other, each on lines of its own or all on one line each. */
export function parseJsonStream(text: string): Readonly<Record<string, unknown>>[] {
  const objects: Readonly<Record<string, unknown>>[] = [];
  let pending = "";
  for (const line of text.split("\n")) {
    pending += line;
    // Both tools end an object at the end of a line that begins with its brace, and nothing nested does.
    if (!line.startsWith("}") && !(line.startsWith("{") && line.endsWith("}"))) continue;
    objects.push(JSON.parse(pending) as Readonly<Record<string, unknown>>);
    pending = "";
  }
  if (pending.trim() !== "") throw new Error(`this is not a row of JSON objects: ${pending.slice(0, 200)}`);
  return objects;
}

/** How many calls ended with which status. */
export function parseGhzReport(text: string): Readonly<Record<string, number>> {
  const report = JSON.parse(text) as { readonly statusCodeDistribution?: Readonly<Record<string, number>> };
  return report.statusCodeDistribution ?? {};
}
