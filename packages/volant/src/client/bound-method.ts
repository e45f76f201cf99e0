/**
 * A method bound to a channel, once per client: its definition, its constant request headers, its hooks.
 */

import type { MethodDefinition } from "../rpc/method.ts";
import type { OutboundField } from "../transport/http2.ts";
import type { Channel } from "./channel.ts";
import { type ClientInterceptor, type ComposedClientHooks, composeClientHooks } from "./client-interceptor.ts";
import { constantFields } from "./request-headers.ts";

export interface BoundClientMethod {
  readonly definition: MethodDefinition;
  readonly constantFields: readonly OutboundField[];
  readonly hooks: ComposedClientHooks;
}

export function bindMethod(
  channel: Channel,
  definition: MethodDefinition,
  interceptors: readonly ClientInterceptor[],
): BoundClientMethod {
  const { options, authority } = channel;
  return {
    definition,
    constantFields: constantFields(
      definition.path,
      authority,
      options.userAgent,
      options.limits.compression.acceptEncoding,
      options.tls === undefined ? "http" : "https",
    ),
    hooks: composeClientHooks([...options.interceptors, ...interceptors], definition),
  };
}
