/**
 * `volant/grpc-js`: services whose code another generator made.
 */
import "../runtime-floor.ts";

export type { GrpcJsDefinition, GrpcJsMethod, GrpcJsService, LocalName } from "./definition.ts";
export { fromGrpcJs } from "./from-grpc-js.ts";
