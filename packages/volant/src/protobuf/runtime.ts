/**
 * What compiled source text may call, by name, and the types of the functions that it makes. Owns the list.
 */
import { DecodeError, EncodeError } from "./codec-error.ts";
import { prepareLargeMap } from "./large-map.ts";
import { readKey } from "./map-keys.ts";
import { countVarints, readPackedDouble, readPackedFixed64, readPackedFloat, readPackedSfixed64 } from "./packed.ts";
import type { FieldPlan, MessagePlan } from "./plan.ts";
import * as read from "./read.ts";
import { skipValue, tooDeep, wrongGroupEnd } from "./skip.ts";
import { readStruct, writeStruct } from "./struct.ts";
import { readLenientText, readText } from "./text.ts";
import { attachHeld, takeHeld, takeUnknown, takeUnknownEnum, writeUnknown } from "./unknown-fields.ts";
import { noValuesLeft } from "./value-budget.ts";
import * as varint from "./varint.ts";
import * as write from "./write.ts";
import { describe, isNullAllowed, missingRequired, wrongMessage, wrongValue } from "./wrong-value.ts";

/** `field` is the one that holds the message; undefined for the outermost. */
export type EncodeMessage = (
  message: object,
  bytes: Uint8Array,
  at: number,
  limit: number,
  field: FieldPlan | undefined,
) => number;

/** `end` is that of the message and `limit` that of the bytes. For `group` see `emit-decode.ts`. Sets `cursor.position`. */
export type DecodeMessage = (
  bytes: Uint8Array,
  at: number,
  end: number,
  limit: number,
  depth: number,
  previous: object | undefined,
  group?: number,
) => object;

/** Anything but a message of the type is a plain object to make one from; an array and another type's message are neither. */
export function checkMessage(
  plan: MessagePlan,
  typeName: unknown,
  message: unknown,
  field: FieldPlan | undefined,
): void {
  if (typeName !== undefined) wrongMessage(plan, typeName);
  if (typeof message === "object" && message !== null && !Array.isArray(message)) return;
  if (field !== undefined) wrongValue(field, message);
  throw new EncodeError(plan.typeName, undefined, `expected a message or a plain object, not ${describe(message)}`);
}

/** What `owner` has under a name that every object inherits. A class may have it as an accessor. */
export function ownValue(owner: Readonly<Record<string, unknown>>, property: string): unknown {
  const value = owner[property];
  if (Object.hasOwn(owner, property)) return value;
  const isOfEveryObject = typeof value === "function" || value === Object.prototype[property as never];
  return isOfEveryObject ? undefined : value;
}

/** Says where an error happened. */
export function locate(error: unknown, plan: MessagePlan, tag: number): unknown {
  if (!(error instanceof DecodeError)) return error;
  const number = tag >>> 3;
  const field = plan.fields.find((candidate) => candidate.number === number);
  return error.locate(plan.typeName, field?.name ?? (number === 0 ? undefined : `#${number}`));
}

const { READERS: _readers, readerOf: _readerOf, ...readers } = read;
const { ROOM: _room, WRITERS: _writers, ...writers } = write;

export const RUNTIME: Readonly<Record<string, unknown>> = {
  ...readers,
  ...varint,
  ...writers,
  skipValue,
  tooDeep,
  wrongGroupEnd,
  attachHeld,
  takeHeld,
  takeUnknown,
  takeUnknownEnum,
  writeUnknown,
  noValuesLeft,
  prepareLargeMap,
  countVarints,
  readPackedDouble,
  readPackedFixed64,
  readPackedFloat,
  readPackedSfixed64,
  readStruct,
  writeStruct,
  readText,
  readKey,
  readLenientText,
  checkMessage,
  ownValue,
  locate,
  isNullAllowed,
  missingRequired,
  wrongValue,
  unset: { case: undefined },
};
