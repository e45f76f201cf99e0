// Owns: code that the peers generate from the protos of the codec scenario, in dist/, which nobody commits.

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const protos = join(here, "../../codec/proto");
const binaries = join(here, "node_modules/.bin");
const dist = join(here, "dist");

mkdirSync(dist, { recursive: true });
const run = (command, args) => execFileSync(command, args, { cwd: protos, stdio: ["ignore", 2, 2] });
run(join(binaries, "pbjs"), [
  "-t",
  "static-module",
  "-w",
  "commonjs",
  "-p",
  protos,
  "-o",
  join(dist, "static.cjs"),
  "shapes.proto",
]);
run(join(binaries, "pbjs"), ["-t", "json", "-p", protos, "-o", join(dist, "shapes.json"), "shapes.proto"]);
const tsProto = {
  version: "v2",
  plugins: [
    {
      local: join(binaries, "protoc-gen-ts_proto"),
      out: dist,
      opt: ["forceLong=bigint", "esModuleInterop=true", "importSuffix=.ts", "outputJsonMethods=false"],
      include_imports: true,
      include_wkt: true,
    },
  ],
};
run(join(here, "../../../node_modules/.bin/buf"), ["generate", "--template", JSON.stringify(tsProto)]);
