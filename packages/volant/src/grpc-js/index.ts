/**
 * `volant/grpc-js`: services whose code another generator made.
 */
export type { GrpcJsDefinition, GrpcJsMethod, GrpcJsService, LocalName } from "./definition.ts";
export { fromGrpcJs } from "./from-grpc-js.ts";
