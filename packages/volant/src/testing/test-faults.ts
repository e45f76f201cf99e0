/**
 * Faults that a test asks for, and when: what `createTestChannel(server, { faults })` takes. Owns their names and options;
 * fault-link.ts carries them out.
 */
import type { ErrorCode } from "../transport/http2.ts";

/** Any name of RFC 9113 §7. */
export type ErrorCodeName = keyof typeof ErrorCode;

export type TestFault =
  /** What the server sends for this call is held back for `ms`, in order. */
  | { readonly kind: "delay"; readonly ms: number }
  /**
   * RST_STREAM to both sides, after `afterMessages` messages of the server, by default before anything. `code` is what the
   * client sees, "INTERNAL_ERROR" by default; "REFUSED_STREAM" without `afterMessages` never reaches the server.
   */
  | { readonly kind: "reset"; readonly code?: ErrorCodeName; readonly afterMessages?: number }
  /**
   * GOAWAY to the client. `processed: false`, the default: it says that this call never began, and the server does not see
   * it. `processed: true`: this call goes on, later ones need another connection.
   */
  | {
      readonly kind: "goAway";
      readonly processed?: boolean;
      readonly code?: ErrorCodeName;
      readonly debugData?: string;
    }
  /** The connection is lost in the middle of the call's trailers. */
  | { readonly kind: "truncateTrailers" }
  /** The stream ends as it should, but without `grpc-status`. */
  | { readonly kind: "dropTrailers" }
  /** The connection is lost, after `afterMessages` messages of the server, by default before the server sees the call. */
  | { readonly kind: "disconnect"; readonly afterMessages?: number };

/** A call as it leaves the client, transparent and other retries included. */
export interface FaultyCall {
  /** How many calls left through this channel before. */
  readonly index: number;
  /** "/package.Service/Method". */
  readonly path: string;
}

/** Asked once for each call that leaves the client; undefined lets it be. */
export type TestFaults = (call: FaultyCall) => TestFault | undefined;
