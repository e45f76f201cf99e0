/**
 * The oldest Node that the library runs on. Owns the check, which every entry point makes before anything else of it is
 * loaded: an older Node fails at once and in one line, and not at the first call that needs what it lacks.
 */

/** `engines.node` of the package. */
const OLDEST: readonly [major: number, minor: number] = [22, 12];

/** What is wrong with this version of Node; undefined where nothing is. */
export function runtimeFault(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return undefined;
  return `volant needs Node.js ${OLDEST.join(".")} or newer; this is Node.js ${version}. Install a newer one: https://nodejs.org`;
}

const fault = runtimeFault(process.versions.node);
if (fault !== undefined) {
  // Without frames: they would name this file and nothing of the reader's.
  throw Object.assign(new Error(fault), { stack: `Error: ${fault}` });
}
