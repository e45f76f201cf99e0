/**
 * Options of a server. Owns defaults and validation; inside, only the resolved form is seen.
 */

import type { ServerCall } from "../rpc/call.ts";
import type { ServerInterceptor } from "../rpc/interceptor.ts";
import type { Peer } from "../rpc/peer.ts";
import type { StatusCode } from "../rpc/status.ts";
import { BufferBudget, processBudget } from "../stream/buffer-budget.ts";
import type { InboundLimits } from "../stream/inbound.ts";
import { type Http2Options, type ResolvedHttp2Options, resolveHttp2Options } from "../transport/http2.ts";
import type { KeepaliveOptions } from "../transport/keepalive.ts";

/** A call that never reached a method. */
export interface RejectedCall {
  readonly path: string;
  readonly code: StatusCode;
  readonly peer: Peer;
}

export interface ServerOptions {
  /** Policies, outermost first. They apply to services added afterwards as well. */
  readonly interceptors?: readonly ServerInterceptor[];
  /** Largest request message. Default 4 MiB (grpc.max_receive_message_length). */
  readonly maxReceiveMessageBytes?: number;
  /**
   * Octets that requests larger than one read may hold until their handler takes them. When it is spent, the newest is
   * refused with RESOURCE_EXHAUSTED. Default: 256 MiB shared by the whole process.
   */
  readonly maxBufferedBytes?: number;
  /** Limits of the HTTP/2 connections. `maxConcurrentStreams`, windows, header sizes, timeouts. */
  readonly http2?: Http2Options;
  /** Connections at once; more are closed when they arrive. Default: no limit but the process's file descriptors. */
  readonly maxConnections?: number;
  /**
   * A connection without a call for this long, and for less than twice as long, is drained. Default: never
   * (grpc.max_connection_idle_ms).
   */
  readonly maxConnectionIdleMs?: number;
  /**
   * PING after `timeMs` of silence, end of the connection after `timeoutMs` more. Default 2 h and 20 s
   * (grpc.keepalive_time_ms, grpc.keepalive_timeout_ms); `timeMs: Infinity` turns it off.
   */
  readonly keepalive?: { readonly timeMs?: number; readonly timeoutMs?: number };
  /**
   * Errors that no client will see: what a handler threw and went out as INTERNAL, a failing end listener, a failed accept,
   * `TlsHandshakeError` at most once a second and listener.
   * Default: written to stderr. What it throws itself is written there too, and goes no further.
   */
  readonly onError?: (error: unknown, call: ServerCall | undefined) => void;
  /** Calls that reached no method: unknown path, wrong content-type. What it throws is written to stderr. */
  readonly onRejected?: (rejected: RejectedCall) => void;
}

export interface ResolvedServerOptions {
  readonly interceptors: readonly ServerInterceptor[];
  readonly limits: InboundLimits;
  readonly http2: ResolvedHttp2Options;
  readonly maxConnections: number;
  readonly maxConnectionIdleMs: number;
  readonly keepalive: KeepaliveOptions;
  readonly onError: (error: unknown, call: ServerCall | undefined) => void;
  readonly onRejected: ((rejected: RejectedCall) => void) | undefined;
}

const DEFAULT_MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const MAX_MESSAGE_BYTES = 0xffff_ffff;

/** Throws RangeError naming the option, what was given and what is allowed. */
export function resolveServerOptions(options: ServerOptions): ResolvedServerOptions {
  const { maxBufferedBytes, keepalive = {} } = options;
  return Object.freeze({
    interceptors: options.interceptors ?? [],
    limits: {
      maxMessageBytes: inRange(
        "maxReceiveMessageBytes",
        options.maxReceiveMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES,
        0,
        MAX_MESSAGE_BYTES,
      ),
      budget:
        maxBufferedBytes === undefined
          ? processBudget
          : new BufferBudget(inRange("maxBufferedBytes", maxBufferedBytes, 0, Number.MAX_SAFE_INTEGER)),
    },
    http2: resolveHttp2Options(options.http2),
    maxConnections: inRange("maxConnections", options.maxConnections ?? Number.POSITIVE_INFINITY, 1),
    maxConnectionIdleMs: inRange("maxConnectionIdleMs", options.maxConnectionIdleMs ?? Number.POSITIVE_INFINITY, 1),
    keepalive: {
      timeMs: inRange("keepalive.timeMs", keepalive.timeMs ?? 7_200_000, 1),
      timeoutMs: inRange("keepalive.timeoutMs", keepalive.timeoutMs ?? 20_000, 1),
      withoutCalls: true,
    },
    onError: options.onError ?? writeToStderr,
    onRejected: options.onRejected,
  });
}

function inRange(name: string, value: number, min: number, max: number = Number.POSITIVE_INFINITY): number {
  if (typeof value === "number" && value >= min && value <= max) return value;
  const allowed = max === Number.POSITIVE_INFINITY ? `${min} or more` : `from ${min} to ${max}`;
  throw new RangeError(`${name}: ${String(value)} given, a number ${allowed} is allowed`);
}

function writeToStderr(error: unknown, call: ServerCall | undefined): void {
  const where = call === undefined ? "server" : call.method.path;
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`volant: ${where}: ${what}\n`);
}
