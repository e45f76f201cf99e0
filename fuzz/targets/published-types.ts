/**
 * The protobuf codec against protobuf-es over types that others published: the protos of Envoy and googleapis that come with
 * an npm package, more than a thousand types, some with hundreds of fields. Owns how they get here; the comparison is the
 * same as in `codec.ts`.
 *
 * The package is fetched into `.tools/` once. Files of it that import what it does not contain are left out.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createFileRegistry, type DescMessage, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { codecsOf, compareDecode, compareEncode } from "../../packages/volant/test/protobuf/oracle.ts";
import { Random } from "../../packages/volant/test/protobuf/random.ts";
import { mutate, randomBytes } from "../../packages/volant/test/protobuf/random-bytes.ts";
import { randomMessage } from "../../packages/volant/test/protobuf/random-message.ts";
import type { FuzzRun, FuzzTarget } from "../target.ts";

const PACKAGE = "@grpc/grpc-js-xds@1.14.1";
const MODULES = ["envoy-api", "googleapis", "protoc-gen-validate", "xds"] as const;
/** A file that cannot be built may be imported by others: each round leaves out what failed in the one before. */
const MAX_ROUNDS = 10;

const repository = join(import.meta.dirname, "..", "..");
const folder = join(repository, ".tools", "published-types");
const image = join(folder, "image.binpb");

export const publishedTypes: FuzzTarget = { name: "published-types", bugs: [], absence, start };

function absence(): string | undefined {
  if (existsSync(image)) return undefined;
  try {
    fetchImage();
    return undefined;
  } catch (error) {
    return `the protos of ${PACKAGE} could not be fetched and built: ${(error as Error).message.split("\n")[0]}`;
  }
}

function start(): FuzzRun {
  const schemas = messageTypes();
  const reached = { types: new Set<string>(), accepted: 0, refused: 0 };
  return {
    execute(seed) {
      const random = new Random(seed);
      const schema = random.pick(schemas);
      // Compiled anew each time: a thousand types with all that they contain would not fit in memory.
      const codecs = codecsOf(schema);
      reached.types.add(schema.typeName);
      const bytes = random.oneIn(3)
        ? Uint8Array.from(randomBytes(schema, random))
        : compareEncode(codecs, randomMessage(schema, random));
      if (compareDecode(codecs, random.oneIn(2) ? bytes : mutate(bytes, random))) reached.accepted++;
      else reached.refused++;
    },
    reached: () => ({
      types: reached.types.size,
      of: schemas.length,
      accepted: reached.accepted,
      refused: reached.refused,
    }),
  };
}

function messageTypes(): readonly DescMessage[] {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(image)));
  return [...registry].filter((type) => type.kind === "message");
}

function fetchImage(): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const packed = execFileSync("npm", ["pack", PACKAGE, "--silent"], { cwd: folder, encoding: "utf8" }).trim();
  execFileSync("tar", ["xzf", packed], { cwd: folder });
  const protos = join(folder, "package", "deps");
  const modules = MODULES.map((path) => `  - path: ${path}\n`).join("");
  writeFileSync(join(protos, "buf.yaml"), `version: v2\nmodules:\n${modules}`);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const broken = build(protos);
    if (broken.length === 0) {
      renameSync(join(protos, "image.binpb"), image);
      return;
    }
    for (const file of broken) rmSync(join(protos, file), { force: true });
  }
  throw new Error(`still not buildable after ${MAX_ROUNDS} rounds`);
}

/** The files that could not be built; none: the image is there. */
function build(protos: string): readonly string[] {
  try {
    const buf = join(repository, "node_modules", ".bin", "buf");
    execFileSync(buf, ["build", ".", "-o", "image.binpb"], { cwd: protos, encoding: "utf8", stdio: "pipe" });
    return [];
  } catch (error) {
    const { stderr = "" } = error as { stderr?: string };
    const files = stderr.split("\n").map((line) => line.split(":")[0]!);
    const broken = [...new Set(files.filter((file) => file.endsWith(".proto")))];
    if (broken.length === 0) throw error;
    return broken;
  }
}
