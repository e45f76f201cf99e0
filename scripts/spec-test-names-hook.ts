// Owns: putting the stand-in in the place of `node:test`. To be preloaded.

import { registerHooks } from "node:module";

const STAND_IN = new URL("spec-test-stand-in.ts", import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    return specifier === "node:test" ? { url: STAND_IN, shortCircuit: true } : next(specifier, context);
  },
});
