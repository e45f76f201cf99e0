// Owns: `npm run spec`: writes docs/spec and docs/details.md from the code and the names of the tests.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DETAILS_FILE, GRPC_TEST_FILES, renderDetails } from "./grpc-details.ts";
import { COVERAGE_FILE, renderCoverage } from "./spec-coverage.ts";
import { readTestNames } from "./spec-test-names.ts";
import { renderStateTable, STATE_TABLE_FILE } from "./state-table.ts";

const repository = join(import.meta.dirname, "..");
const documents = {
  [STATE_TABLE_FILE]: renderStateTable(),
  [COVERAGE_FILE]: renderCoverage(readTestNames(repository)),
  [DETAILS_FILE]: renderDetails(readTestNames(repository, GRPC_TEST_FILES)),
};
for (const [file, text] of Object.entries(documents)) {
  mkdirSync(dirname(join(repository, file)), { recursive: true });
  writeFileSync(join(repository, file), text);
  console.log(`wrote ${file}`);
}
