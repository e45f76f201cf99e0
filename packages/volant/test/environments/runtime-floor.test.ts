/** What an older Node is told. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { runtimeFault } from "../../src/runtime-floor.ts";

const run = promisify(execFile);
const library = join(import.meta.dirname, "..", "..");
const manifest = JSON.parse(readFileSync(join(library, "package.json"), "utf8")) as {
  readonly engines: { readonly node: string };
  readonly exports: Readonly<Record<string, string>>;
};

test("the oldest Node that is accepted is the one that the manifest names", () => {
  const oldest = manifest.engines.node.replace(">=", "");
  assert.equal(runtimeFault(oldest), undefined);
  assert.equal(runtimeFault(`${oldest}.0`), undefined);
  const [major, minor] = oldest.split(".").map(Number) as [number, number];
  for (const version of [`${major}.${minor - 1}.9`, `${major - 1}.99.0`, "20.20.2", "18.0.0", "0.12.0"])
    assert.match(
      runtimeFault(version) ?? "",
      new RegExp(`^volant needs Node\\.js ${major}\\.${minor} or newer; this is Node\\.js ${version}`),
    );
  for (const version of [`${major}.${minor + 1}.0`, `${major + 1}.0.0`, "100.0.0"])
    assert.equal(runtimeFault(version), undefined);
});

for (const [entry, source] of Object.entries(manifest.exports)) {
  test(`on an older Node the import of entry ${entry} fails at once with one line`, async () => {
    const pretend = `Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.1.0"}})`;
    const program = `import(${JSON.stringify(join(library, source))}).then(() => console.log("loaded"), (error) => console.log(error.stack))`;
    const flags = ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`, "--input-type=module"];
    const { stdout } = await run(process.execPath, [...flags, "-e", program]);
    assert.match(stdout, /^Error: volant needs Node\.js 22\.12 or newer; this is Node\.js 20\.1\.0\. [^\n]+\n$/);
  });
}
