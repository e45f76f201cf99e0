// Owns: what the published manifest says about entry points and dependencies.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createPublishedManifest, listEntrySources, type WorkspaceManifest } from "./package-manifest.ts";

const manifest: WorkspaceManifest = {
  name: "volant",
  version: "1.2.3",
  description: "d",
  license: "Apache-2.0",
  engines: { node: ">=22.12" },
  exports: { ".": "./src/index.ts", "./http2": "./src/http2/index.ts" },
  dependencies: { a: "2.17.0", b: ">=1" },
};

test("each entry point is published with types first and one module for import and require", () => {
  const published = createPublishedManifest(manifest);
  assert.deepEqual(published.exports, {
    ".": { types: "./index.d.ts", default: "./index.js" },
    "./http2": { types: "./http2/index.d.ts", default: "./http2/index.js" },
    "./package.json": "./package.json",
  });
  const order =
    JSON.stringify(published.exports).indexOf("types") < JSON.stringify(published.exports).indexOf("default");
  assert.ok(order, "conditions are tried in the order they are written");
});

test("a pinned dependency leaves room for later minor versions, a range stays as it is", () => {
  assert.deepEqual(createPublishedManifest(manifest).dependencies, { a: "^2.17.0", b: ">=1" });
});

test("an entry point that is no TypeScript source of the package is refused", () => {
  assert.deepEqual(listEntrySources(manifest), ["src/index.ts", "src/http2/index.ts"]);
  assert.throws(
    () => listEntrySources({ ...manifest, exports: { ".": "./lib/index.js" } }),
    /not at \.\/lib\/index\.js/,
  );
});
