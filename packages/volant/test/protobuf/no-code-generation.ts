/**
 * A program of its own for no-code-generation.test.ts: says whether the process may compile text, and whether the codec works.
 */
import { isDeepStrictEqual } from "node:util";
import { create, toBinary } from "@bufbuild/protobuf";
import { decode, encode } from "volant/protobuf";
import { CompilingEngine, createEngine } from "../../src/protobuf/compile.ts";
import { Kinds3Schema } from "./gen/volant/test/kinds3_pb.ts";

const message = create(Kinds3Schema, {
  oneString: "text",
  manyInt32: [1, 2, 300],
  toMessage: { a: { text: "inner" } },
  struct: { list: [1, "two", null] },
  choice: { case: "eitherMessage", value: { number: 5 } },
});
const bytes = encode(Kinds3Schema, message);
const isSame = Buffer.compare(bytes, toBinary(Kinds3Schema, message)) === 0;
const equal = isSame && isDeepStrictEqual(decode(Kinds3Schema, bytes), message);
console.log(JSON.stringify({ mayCompile: createEngine() instanceof CompilingEngine, equal }));
