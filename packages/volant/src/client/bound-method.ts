/**
 * A method bound to a channel, once per client: its definition, its constant request headers, its hooks.
 */

import { checkedRequestCodec, type MessageCodec, type MethodDefinition } from "../rpc/method.ts";
import { codecFor } from "../stream/decoding.ts";
import { listBytes, type OutboundField } from "../transport/http2.ts";
import type { Channel } from "./channel.ts";
import { type ClientInterceptor, type ComposedClientHooks, composeClientHooks } from "./client-interceptor.ts";
import { constantFields } from "./request-headers.ts";

export interface BoundClientMethod {
  readonly definition: MethodDefinition;
  /** That of the definition, or one that checks what it is given. */
  readonly requestCodec: MessageCodec<unknown, unknown>;
  /** That of the definition, under the limits of the channel. */
  readonly responseCodec: MessageCodec<unknown, unknown>;
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
    requestCodec: options.checkRequests ? checkedRequestCodec(definition) : definition.requestCodec,
    responseCodec: codecFor(definition.responseCodec, definition, options.limits.decoding),
    constantFields: constant,
    constantBytes: listBytes(constant),
    hooks: composeClientHooks([...options.interceptors, ...interceptors], definition),
  };
}
