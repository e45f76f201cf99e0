/**
 * What must be given as a server to functions that add something to one. Owns the test of its shape: a server of another copy
 * of the package is one too.
 */
import { describeGiven } from "./option-names.ts";

/** Throws TypeError for what is no server. `where` is what the user called: "health()". */
export function checkServer(where: string, given: unknown): void {
  const { add, attach, observe } = (given ?? {}) as Readonly<Record<string, unknown>>;
  if ([add, attach, observe].every((method) => typeof method === "function")) return;
  throw new TypeError(`${where}: ${describeGiven(given)} given as server; the result of new Server() is allowed`);
}
