/**
 * `volant/services`: services that speak of the server they are added to, and the descriptors to call them by.
 */
import "../runtime-floor.ts";

export { Health, HealthCheckResponse_ServingStatus } from "../gen/grpc/health/v1/health_pb.ts";
export { ServerReflection } from "../gen/grpc/reflection/v1/reflection_pb.ts";
export { type HealthStatus, health, type ServingStatus } from "./health/health.ts";
export { type ReflectionOptions, reflection } from "./reflection/reflection.ts";
