/**
 * Entry point `volant/errors`: the schemas of the google.rpc messages that travel as error details, for
 * `error.detail(BadRequestSchema)`.
 *
 * Must not know: anything but generated code. The functions that build details are exports of `volant`.
 * Spec: google/rpc/status.proto, google/rpc/error_details.proto.
 */
import "./runtime-floor.ts";

export {
  type BadRequest,
  BadRequestSchema,
  type DebugInfo,
  DebugInfoSchema,
  type ErrorInfo,
  ErrorInfoSchema,
  type Help,
  HelpSchema,
  type LocalizedMessage,
  LocalizedMessageSchema,
  type PreconditionFailure,
  PreconditionFailureSchema,
  type QuotaFailure,
  QuotaFailureSchema,
  type RequestInfo,
  RequestInfoSchema,
  type ResourceInfo,
  ResourceInfoSchema,
  type RetryInfo,
  RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.ts";
export { type Status, StatusSchema } from "./gen/google/rpc/status_pb.ts";
