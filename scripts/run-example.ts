// Owns: `npm run example -- NAME`, which runs `examples/NAME.ts` in this process so that signals reach it.

import { globSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const examples = join(import.meta.dirname, "..", "examples");
const names = globSync("*.ts", { cwd: examples })
  .filter((file) => !file.endsWith(".test.ts"))
  .map((file) => file.slice(0, -".ts".length))
  .sort();

const [name] = process.argv.splice(2, 1);
if (name !== undefined && names.includes(name)) {
  await import(pathToFileURL(join(examples, `${name}.ts`)).href);
} else {
  const complaint = name === undefined ? "no example named" : `no example is called ${name}`;
  console.error(`${complaint}; run \`npm run example -- NAME\` with one of: ${names.join(", ")}`);
  process.exitCode = 1;
}
