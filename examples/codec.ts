/**
 * The compiled codec by itself, in place of `toBinary` and `fromBinary` of protobuf-es. `npm run example -- codec`.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { codecOf, DecodeError, decode, EncodeError, encode, encodeInto } from "volant/protobuf";
import { UserSchema } from "../services/users/src/gen/user_pb.ts";

const ada = { id: "1", name: "Ada Byron", roles: ["admin"], metadata: { born: "1815" } };

// A plain object of the init shape, or a message: the same octets.
const bytes = encode(UserSchema, ada);
console.log(`as protobuf-es: ${Buffer.compare(bytes, toBinary(UserSchema, create(UserSchema, ada))) === 0}`);
console.log(`decoded: ${decode(UserSchema, bytes).name}`);

// Into a buffer of one's own: how many octets, or -1 where they are too many.
const buffer = Buffer.alloc(256);
console.log(`fits: ${encodeInto(UserSchema, ada, buffer, 16) === bytes.length}`);
console.log(`does not fit: ${encodeInto(UserSchema, ada, buffer, 16, 8)}`);

// Where peers are not trusted, fields that the type does not have need not cost memory.
const strict = codecOf(UserSchema, { unknownFields: "drop" });
const unknown = Buffer.from([...bytes, 0xf8, 0x7f, 1]);
console.log(`unknown fields: ${strict.decode(unknown, 0, unknown.length).$unknown?.length ?? 0}`);

try {
  encode(UserSchema, { email: 5 as unknown as string });
} catch (error) {
  if (error instanceof EncodeError) console.log(error.message);
}
try {
  decode(UserSchema, Buffer.from([0x12, 1, 0xff]));
} catch (error) {
  if (error instanceof DecodeError) console.log(error.message);
}
