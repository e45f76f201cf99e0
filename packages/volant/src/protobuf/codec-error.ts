/**
 * What the codec throws. Owns the wording: which message, which field, what was given, what is allowed. Must not know how a
 * message is encoded or decoded.
 */

/** A message that cannot be encoded: a value of it is not one that its field can have. */
export class EncodeError extends Error {
  override readonly name = "EncodeError";
  /** Full name of the message type: `user.User`. */
  readonly typeName: string;
  /** Name of the field in the proto, where one is to blame; the path to it where messages are checked in development. */
  readonly fieldName: string | undefined;

  constructor(typeName: string, fieldName: string | undefined, reason: string) {
    super(`cannot encode ${nameOf(typeName, fieldName)}: ${reason}`);
    this.typeName = typeName;
    this.fieldName = fieldName;
  }
}

/** Bytes that are no message of the type. */
export class DecodeError extends Error {
  override readonly name: string = "DecodeError";
  /** Full name of the innermost message type that was being decoded; empty until it is known. */
  typeName = "";
  /** Name of the field in the proto, or `#7` where the number is not one of the type's fields. */
  fieldName: string | undefined;
  readonly reason: string;

  constructor(reason: string) {
    super(`cannot decode: ${reason}`);
    this.reason = reason;
  }

  /** Names the place once: the innermost message says it first. */
  locate(typeName: string, fieldName: string | undefined): this {
    if (this.typeName !== "") return this;
    this.typeName = typeName;
    this.fieldName = fieldName;
    this.message = `cannot decode ${nameOf(typeName, fieldName)}: ${this.reason}`;
    return this;
  }
}

/** Bytes that may well be a message, but would decode to more values than were allowed. */
export class DecodeLimitError extends DecodeError {
  override readonly name = "DecodeLimitError";
  /** The limit: {@link CodecOptions.maxDecodedValues}. */
  readonly maxDecodedValues: number;

  constructor(maxDecodedValues: number) {
    const allowed = maxDecodedValues.toLocaleString("en-US");
    super(
      `the message has more values than the ${allowed} that maxDecodedValues allows; send less in one message, or raise ` +
        "maxDecodedValues where it is decoded",
    );
    this.maxDecodedValues = maxDecodedValues;
  }
}

function nameOf(typeName: string, fieldName: string | undefined): string {
  return fieldName === undefined ? typeName : `${typeName}.${fieldName}`;
}
