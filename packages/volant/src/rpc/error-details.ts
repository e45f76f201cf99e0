/**
 * Error details: the messages that say more than a status code, and their way into `google.rpc.Status` and back.
 *
 * Must not know: which header carries the bytes, and `RpcError`.
 * Invariants: a detail that was sent can be read with its schema, also by a reader that knows other details only; types
 * nobody here knows stay as the `google.protobuf.Any` they came in.
 * Spec: google/rpc/status.proto, google/rpc/error_details.proto (AIP-193).
 */

import {
  create,
  type DescMessage,
  fromBinary,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { type Any, AnySchema, anyIs, anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type BadRequest_FieldViolationSchema,
  BadRequestSchema,
  DebugInfoSchema,
  ErrorInfoSchema,
  file_google_rpc_error_details,
  type Help_LinkSchema,
  HelpSchema,
  LocalizedMessageSchema,
  type PreconditionFailure_ViolationSchema,
  PreconditionFailureSchema,
  type QuotaFailure_ViolationSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../gen/google/rpc/status_pb.ts";
import type { StatusCode } from "../grpc/status-code.ts";

/** A message with the schema that encodes it. */
export interface MessageDetail<Desc extends DescMessage = DescMessage> {
  readonly schema: Desc;
  readonly message: MessageShape<Desc>;
}

/** A detail made here (`MessageDetail`), or one that arrived (`google.protobuf.Any`, read with `detail(schema)`). */
export type ErrorDetail = MessageDetail | Any;

/** What an error takes as a detail: also `[Schema, init]`, and a bare message of the google.rpc types. */
export type ErrorDetailInit = ErrorDetail | readonly [schema: DescMessage, init: object] | Message;

/** google.rpc.Status, read. `code` is what the sender wrote: not checked against the 17 codes. */
export interface StatusDetails {
  readonly code: number;
  readonly message: string;
  readonly details: readonly Any[];
}

/** Any message as a detail: `errorDetail(MySchema, { … })`. */
export function errorDetail<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): MessageDetail<Desc> {
  return { schema, message: create(schema, init) };
}

/** Which fields of the request are wrong: `badRequest({ email: "must contain @" })`, or full violations. */
export function badRequest(
  fields: Readonly<Record<string, string>> | readonly MessageInitShape<typeof BadRequest_FieldViolationSchema>[],
): MessageDetail<typeof BadRequestSchema> {
  const fieldViolations = Array.isArray(fields)
    ? fields
    : Object.entries(fields).map(([field, description]) => ({ field, description: String(description) }));
  return errorDetail(BadRequestSchema, { fieldViolations });
}

/** How long to wait before a retry. `delayMs` is 0 or more, in milliseconds; throws RangeError otherwise. */
export function retryInfo({ delayMs }: { readonly delayMs: number }): MessageDetail<typeof RetryInfoSchema> {
  if (!Number.isFinite(delayMs) || delayMs < 0) {
    throw new RangeError(`retryInfo was given delayMs ${String(delayMs)}; it takes finite milliseconds, 0 or more`);
  }
  const micros = Math.round(delayMs * 1000);
  const seconds = Math.floor(micros / 1_000_000);
  const nanos = (micros - seconds * 1_000_000) * 1000;
  return errorDetail(RetryInfoSchema, { retryDelay: { seconds: BigInt(seconds), nanos } });
}

/** The cause for programs: an UPPER_SNAKE_CASE reason, unique within its domain. */
export function errorInfo(init: {
  readonly reason: string;
  readonly domain: string;
  readonly metadata?: Readonly<Record<string, string>>;
}): MessageDetail<typeof ErrorInfoSchema> {
  return errorDetail(ErrorInfoSchema, { reason: init.reason, domain: init.domain, metadata: { ...init.metadata } });
}

/** Which resource the error is about. */
export function resourceInfo(init: {
  readonly resourceType: string;
  readonly resourceName: string;
  readonly owner?: string;
  readonly description?: string;
}): MessageDetail<typeof ResourceInfoSchema> {
  return errorDetail(ResourceInfoSchema, init);
}

/** Which quotas were exceeded. */
export function quotaFailure(
  violations: readonly MessageInitShape<typeof QuotaFailure_ViolationSchema>[],
): MessageDetail<typeof QuotaFailureSchema> {
  return errorDetail(QuotaFailureSchema, { violations: [...violations] });
}

/** Which preconditions do not hold. */
export function preconditionFailure(
  violations: readonly MessageInitShape<typeof PreconditionFailure_ViolationSchema>[],
): MessageDetail<typeof PreconditionFailureSchema> {
  return errorDetail(PreconditionFailureSchema, { violations: [...violations] });
}

/** What support needs to find this request in the server's records. */
export function requestInfo(init: {
  readonly requestId: string;
  readonly servingData?: string;
}): MessageDetail<typeof RequestInfoSchema> {
  return errorDetail(RequestInfoSchema, init);
}

/**
 * Stack and notes for developers. The peer sees it: never send it beyond a trusted boundary. A server drops it, also one
 * that came from elsewhere, where `NODE_ENV` is `production`.
 */
export function debugInfo(init: {
  readonly stackEntries?: readonly string[];
  readonly detail?: string;
}): MessageDetail<typeof DebugInfoSchema> {
  return errorDetail(DebugInfoSchema, { stackEntries: [...(init.stackEntries ?? [])], detail: init.detail ?? "" });
}

/** Links that explain or help to fix the error. */
export function help(links: readonly MessageInitShape<typeof Help_LinkSchema>[]): MessageDetail<typeof HelpSchema> {
  return errorDetail(HelpSchema, { links: [...links] });
}

/** The message for the end user, in the language named by `locale` (BCP 47). */
export function localizedMessage(init: {
  readonly locale: string;
  readonly message: string;
}): MessageDetail<typeof LocalizedMessageSchema> {
  return errorDetail(LocalizedMessageSchema, init);
}

/** Throws TypeError for a bare message whose schema is not known here. */
export function toErrorDetail(init: ErrorDetailInit): ErrorDetail {
  if (isTuple(init)) return errorDetail(init[0], init[1] as MessageInitShape<DescMessage>);
  if ("schema" in init || isAny(init)) return init;
  const schema = file_google_rpc_error_details.messages.find(({ typeName }) => typeName === init.$typeName);
  if (schema !== undefined) return { schema, message: init };
  throw new TypeError(
    `an error detail was given as ${init.$typeName === undefined ? "an object" : `a ${init.$typeName}`} without its schema; ` +
      "give [Schema, message], so that it can be encoded",
  );
}

/** The detail as a message of `schema`, or `undefined` when it is of another type or its bytes do not parse. */
export function readDetail<Desc extends DescMessage>(
  detail: ErrorDetail,
  schema: Desc,
): MessageShape<Desc> | undefined {
  if ("schema" in detail) {
    return detail.schema.typeName === schema.typeName ? (detail.message as MessageShape<Desc>) : undefined;
  }
  if (!anyIs(detail, schema)) return undefined;
  return orUndefined(() => anyUnpack(detail, schema));
}

/** What a server may send of them: in production nothing of DebugInfo, whose place is where developers are alone. */
export function sendableDetails(details: readonly ErrorDetail[]): readonly ErrorDetail[] {
  return process.env.NODE_ENV === "production" ? details.filter((detail) => !isDebugInfo(detail)) : details;
}

/** The bytes for `grpc-status-details-bin`. */
export function encodeStatusDetails(code: StatusCode, message: string, details: readonly ErrorDetail[]): Uint8Array {
  const packed = details.map((detail) => ("schema" in detail ? anyPack(detail.schema, detail.message) : detail));
  return toBinary(StatusSchema, create(StatusSchema, { code, message, details: packed }));
}

/** Reads the bytes of `grpc-status-details-bin`; `undefined` when they are no google.rpc.Status. */
export function decodeStatusDetails(bytes: Uint8Array): StatusDetails | undefined {
  return orUndefined(() => fromBinary(StatusSchema, bytes));
}

/** What a peer sent beside its status must not replace that status by an error of ours: unreadable counts as absent. */
function orUndefined<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

function isDebugInfo(detail: ErrorDetail): boolean {
  return "schema" in detail ? detail.schema.typeName === DebugInfoSchema.typeName : anyIs(detail, DebugInfoSchema);
}

function isTuple(init: ErrorDetailInit): init is readonly [DescMessage, object] {
  return Array.isArray(init);
}

function isAny(init: Message): init is Any {
  return init.$typeName === AnySchema.typeName;
}
