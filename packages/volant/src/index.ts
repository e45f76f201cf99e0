/**
 * `volant`: gRPC for Node.js.
 */
import "./runtime-floor.ts";

export type { BackoffOptions } from "./client/backoff.ts";
export type { CallOptions } from "./client/call-options.ts";
export { Channel, type StateListener } from "./client/channel.ts";
export type { ChannelOptions } from "./client/channel-options.ts";
export type { ChannelStats } from "./client/channel-stats.ts";
export type { ClientCall, ClientCallEnd, ClientHooks, ClientInterceptor } from "./client/client-interceptor.ts";
export type { ConnectivityState } from "./client/connectivity.ts";
export {
  type BidiStreamingCall,
  type Client,
  type ClientMethod,
  type ClientOptions,
  type ClientStreamingCall,
  createClient,
  type RequestSink,
  type Requests,
  type ServerStreamingCall,
} from "./client/create-client.ts";
export type { RetryOptions } from "./client/retry-policy.ts";
export type { CompressionOptions } from "./compression/options.ts";
export type { CompressionName } from "./grpc/message-encoding.ts";
export { detached } from "./rpc/ambient.ts";
export type { CallEnd, ServerCall } from "./rpc/call.ts";
export { type CallValueKey, CallValues, createCallValueKey } from "./rpc/call-values.ts";
export {
  badRequest,
  debugInfo,
  type ErrorDetail,
  type ErrorDetailInit,
  errorDetail,
  errorInfo,
  help,
  localizedMessage,
  preconditionFailure,
  quotaFailure,
  requestInfo,
  resourceInfo,
  retryInfo,
} from "./rpc/error-details.ts";
export type { ServerHooks, ServerInterceptor } from "./rpc/interceptor.ts";
export { Metadata, type MetadataInit } from "./rpc/metadata.ts";
export type { Idempotency, MethodInfo, MethodKind, ServiceDefinition, ServiceSource } from "./rpc/method.ts";
export type { Peer, TlsPeer } from "./rpc/peer.ts";
export { type ErrorOrigin, RpcError, type RpcErrorOptions } from "./rpc/rpc-error.ts";
export { type Status, StatusCode, statusName } from "./rpc/status.ts";
export type { Handler, Handlers } from "./server/handlers.ts";
export type { ListenAddress, ListenOptions } from "./server/listener.ts";
export { type DrainOptions, Server } from "./server/server.ts";
export type { RejectedCall, ServerOptions } from "./server/server-options.ts";
export type { ServerStats } from "./server/server-stats.ts";
export type { DecodingOptions, UnknownFields } from "./stream/decoding.ts";
export type { InboundOptions } from "./stream/inbound-limits.ts";
export { networkOfPeer } from "./transport/peer-network.ts";
export { TlsCredentials, type TlsLoader, type TlsReloadOptions } from "./transport/tls-credentials.ts";
export type { ChannelTlsOptions } from "./transport/tls-dialer.ts";
export { TlsHandshakeError } from "./transport/tls-failures.ts";
export type { Pem, TlsMaterialOptions } from "./transport/tls-material.ts";
export type { TlsProtocolOptions } from "./transport/tls-protocol.ts";
export type { ServerTlsOptions } from "./transport/tls-server-options.ts";
