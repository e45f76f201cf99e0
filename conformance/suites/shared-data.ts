/**
 * Where the collections of test data are that are shared beside the repository and are not part of it.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";

const SHARED_DATA = join(import.meta.dirname, "..", "..", "..", "shared", "data");

export function sharedData(collection: string): string {
  return join(SHARED_DATA, collection);
}

/** Why a suite that reads the collection cannot run; undefined where it can. */
export function dataAbsence(collection: string): string | undefined {
  return existsSync(sharedData(collection)) ? undefined : "absent";
}
