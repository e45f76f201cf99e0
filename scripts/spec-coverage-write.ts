// Owns: `npm run spec`: writes docs/spec from the code and the names of the tests.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { COVERAGE_FILE, renderCoverage } from "./spec-coverage.ts";
import { readTestNames } from "./spec-test-names.ts";
import { renderStateTable, STATE_TABLE_FILE } from "./state-table.ts";

const repository = join(import.meta.dirname, "..");
const documents = {
  [STATE_TABLE_FILE]: renderStateTable(),
  [COVERAGE_FILE]: renderCoverage(readTestNames(repository)),
};
for (const [file, text] of Object.entries(documents)) {
  mkdirSync(dirname(join(repository, file)), { recursive: true });
  writeFileSync(join(repository, file), text);
  console.log(`wrote ${file}`);
}
