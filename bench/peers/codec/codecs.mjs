// Owns: the peers of the codec scenario as encoders and decoders by message name.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import protobuf from "protobufjs";

const dist = join(import.meta.dirname, "dist");
const packageName = "bench.codec";

const fromProtobufjs = (find) => (name) => {
  const type = find(name);
  return { encode: (message) => type.encode(message).finish(), decode: (bytes) => type.decode(bytes) };
};

export const PEERS = {
  "protobufjs static": () => {
    const root = createRequire(import.meta.url)(join(dist, "static.cjs"));
    return fromProtobufjs((name) => root.bench.codec[name]);
  },
  "protobufjs reflect": () => {
    const root = protobuf.Root.fromJSON(JSON.parse(readFileSync(join(dist, "shapes.json"), "utf8")));
    return fromProtobufjs((name) => root.lookupType(`${packageName}.${name}`));
  },
  "ts-proto": async () => {
    const types = await import(join(dist, "shapes.ts"));
    return fromProtobufjs((name) => types[name]);
  },
};
