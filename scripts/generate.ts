// Owns: `npm run generate`, which writes the code made from `proto/`, and `--check`, which only says what it would write.

import { join } from "node:path";
import { applyGenerated, compareGenerated, withGenerated } from "./generated-code.ts";

const repository = join(import.meta.dirname, "..");
const checkOnly = process.argv.includes("--check");

withGenerated(repository, (generated) => {
  const differences = compareGenerated(repository, generated);
  if (!checkOnly) applyGenerated(repository, generated, differences);
  for (const { path, kind } of differences) console.error(`${kind}: ${path}`);
  if (checkOnly && differences.length > 0) {
    console.error("generated code differs from proto/: run `npm run generate` and commit the result");
    process.exitCode = 1;
  }
});
