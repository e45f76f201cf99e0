/**
 * A method bound to a channel, once per client: its definition, its constant request headers, its hooks.
 */

import type { MethodDefinition } from "../rpc/method.ts";
import { listBytes, type OutboundField } from "../transport/http2.ts";
import type { Channel } from "./channel.ts";
import { type ClientInterceptor, type ComposedClientHooks, composeClientHooks } from "./client-interceptor.ts";
import { constantFields } from "./request-headers.ts";

export interface BoundClientMethod {
  readonly definition: MethodDefinition;
  readonly constantFields: readonly OutboundField[];
  /** Their size as a header list. */
  readonly constantBytes: number;
  readonly hooks: ComposedClientHooks;
}

export function bindMethod(
  channel: Channel,
  definition: MethodDefinition,
  interceptors: readonly ClientInterceptor[],
): BoundClientMethod {
  const { options, authority } = channel;
  const constant = constantFields(
    definition.path,
    authority,
    options.userAgent,
    options.limits.compression.acceptEncoding,
    options.tls === undefined ? "http" : "https",
  );
  return {
    definition,
    constantFields: constant,
    constantBytes: listBytes(constant),
    hooks: composeClientHooks([...options.interceptors, ...interceptors], definition),
  };
}
