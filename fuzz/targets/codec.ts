/**
 * The protobuf codec against protobuf-es: messages of types with every kind of field, bytes that look like such messages, and both
 * damaged. Both engines have to agree with protobuf-es on the verdict, the message and the bytes.
 */
import type { DescMessage } from "@bufbuild/protobuf";
import { ProtobufCodec } from "../../packages/volant/src/protobuf/message-codec.ts";
import { type Codecs, codecsOf, compareDecode, compareEncode } from "../../packages/volant/test/protobuf/oracle.ts";
import { Random } from "../../packages/volant/test/protobuf/random.ts";
import { mutate, randomBytes } from "../../packages/volant/test/protobuf/random-bytes.ts";
import { randomMessage } from "../../packages/volant/test/protobuf/random-message.ts";
import { TEST_SCHEMAS } from "../../packages/volant/test/protobuf/schemas.ts";
import type { FuzzRun, FuzzTarget } from "../target.ts";

type AnyCodec = Codecs["all"][number];
type Plant = (schema: DescMessage, codec: AnyCodec) => AnyCodec;

/** Bugs of the kind that codecs have had. */
const BUGS: Readonly<Record<string, Plant>> = {
  "bytes are views of the chunk": (schema) => new ProtobufCodec(schema, { bytes: "view" }),
  "unknown fields are lost": (schema) => new ProtobufCodec(schema, { unknownFields: "drop" }),
  "one octet behind the message is read": (_, codec) => ({
    ...methodsOf(codec),
    decode: (bytes, start, end) => codec.decode(bytes, start, Math.min(end + 1, bytes.length)),
  }),
  "one octet behind the limit is written": (_, codec) => ({
    ...methodsOf(codec),
    encodeInto(message, target, offset, limit) {
      const length = codec.encodeInto(message, target, offset, limit);
      if (offset + limit < target.length) target[offset + limit] = 0;
      return length;
    },
  }),
  "a length of 128 takes one octet": (_, codec) => ({
    ...methodsOf(codec),
    encode(message) {
      const bytes = codec.encode(message);
      const at = bytes.indexOf(0x80);
      return at > 0 && bytes[at + 1] === 1 ? Buffer.from(bytes.map((octet, i) => (i === at ? 0x7f : octet))) : bytes;
    },
  }),
  "damaged text is repaired": (_, codec) => ({
    ...methodsOf(codec),
    decode(bytes, start, end) {
      try {
        return codec.decode(bytes, start, end);
      } catch (error) {
        if (!String(error).includes("UTF-8")) throw error;
        return codec.decode(bytes, start, start);
      }
    },
  }),
};

export const codec: FuzzTarget = { name: "codec", bugs: Object.keys(BUGS), start };

function methodsOf(inner: AnyCodec): AnyCodec {
  return {
    estimate: inner.estimate,
    decode: (bytes, start, end) => inner.decode(bytes, start, end),
    encode: (message) => inner.encode(message),
    encodeInto: (message, target, offset, limit) => inner.encodeInto(message, target, offset, limit),
  };
}

function start(bug?: string): FuzzRun {
  const plant = bug === undefined ? undefined : BUGS[bug];
  const subjects = TEST_SCHEMAS.map((schema) => {
    const codecs = codecsOf(schema);
    return plant === undefined ? codecs : { schema, all: codecs.all.map((inner) => plant(schema, inner)) };
  });
  const reached = { messages: 0, accepted: 0, refused: 0 };
  const decode = (codecs: Codecs, bytes: Uint8Array): void => {
    if (compareDecode(codecs, bytes)) reached.accepted++;
    else reached.refused++;
  };
  return {
    execute(seed) {
      const random = new Random(seed);
      const codecs = random.pick(subjects);
      if (random.oneIn(2)) {
        const bytes = compareEncode(codecs, randomMessage(codecs.schema, random));
        reached.messages++;
        decode(codecs, random.oneIn(2) ? bytes : mutate(bytes, random));
      } else {
        const bytes = Uint8Array.from(randomBytes(codecs.schema, random));
        decode(codecs, random.oneIn(3) ? mutate(bytes, random) : bytes);
      }
    },
    reached: () => reached,
  };
}
