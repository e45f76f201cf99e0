/**
 * Options of a server. Owns defaults and validation; inside, only the resolved form is seen.
 */

import { printable } from "../grpc/printable.ts";
import type { ServerCall } from "../rpc/call.ts";
import { isDevelopment } from "../rpc/development.ts";
import { stackOfThrown } from "../rpc/foreign-values.ts";
import { checkInterceptors } from "../rpc/hooks.ts";
import type { ServerInterceptor } from "../rpc/interceptor.ts";
import { checkOptions, namesOf, type OptionTable } from "../rpc/option-names.ts";
import { inRange } from "../rpc/option-range.ts";
import type { Peer } from "../rpc/peer.ts";
import type { StatusCode } from "../rpc/status.ts";
import { SharedBudget } from "../stream/buffer-budget.ts";
import {
  INBOUND_OPTIONS,
  type InboundOptions,
  type ResolvedInbound,
  resolveInboundLimits,
} from "../stream/inbound-limits.ts";
import { processUnsent } from "../stream/unsent-share.ts";
import {
  HTTP2_OPTIONS,
  type Http2Options,
  type ResolvedHttp2Options,
  resolveHttp2Options,
} from "../transport/http2.ts";
import type { KeepaliveOptions } from "../transport/keepalive.ts";
import { DEFAULT_SLICE_MS } from "../transport/turn-scheduler.ts";
import { DEFAULT_WRITE_STALL_MS } from "../transport/write-stall.ts";
import type { LifetimeOptions } from "./connection-lifetime.ts";
import type { PingPolicyOptions } from "./ping-policy.ts";

/** A call that never reached a method. */
export interface RejectedCall {
  /** The client's text as it came: quote it before it is printed. */
  readonly path: string;
  readonly code: StatusCode;
  readonly peer: Peer;
}

export interface ServerOptions extends InboundOptions {
  /** Policies, outermost first. They apply to services added afterwards as well. */
  readonly interceptors?: readonly ServerInterceptor[];
  /** Limits of the HTTP/2 connections. `maxConcurrentStreams`, windows, header sizes, timeouts. */
  readonly http2?: Http2Options;
  /**
   * Bytes that messages may hold while they wait for clients that do not take them yet: behind a window, for the socket, to be
   * compressed. A message that cannot leave at once, and finds no room, ends its call with RESOURCE_EXHAUSTED; its handler has
   * run then. A stream's writer waits with one such message while the client's window is shut, so this is about many streams
   * and large answers. One client, by its address, has as much as it leaves to others: alone half of it, 32 answers of 4 MiB; a
   * message alone may be as large as all of it. Raise it behind a proxy, where all clients have one address and large answers are
   * many at once. Default: 256 MiB shared by the whole process, beside `maxBufferedBytes`; Infinity turns it off: then clients that
   * ask and do not read decide what is held.
   */
  readonly maxUnsentBytes?: number;
  /** Connections at once; more are closed when they arrive. Default: no limit but the process's file descriptors. */
  readonly maxConnections?: number;
  /**
   * The same for one client address, for one /64 network where it is IPv6; Unix sockets have none. Default: no limit. Behind
   * a proxy or load balancer every client has its address: leave it off there.
   */
  readonly maxConnectionsPerAddress?: number;
  /**
   * Handlers that still run although their call is over (cancelled, past its deadline, connection lost), on all
   * connections together, and interceptors that still decide on such a call. A client address that has as many as there
   * are places left, half of all when it is alone, gets REFUSED_STREAM for new calls: they touched nothing, so it may try
   * them elsewhere at once. Others are served. Default 20,000: 2,000 calls a second cancelled in an overload, all through one proxy, five seconds of work each. Memory: what
   * such a handler holds, times this. Handlers that stop when `call.signal` fires never come near it. Without it a client
   * that hangs up and reconnects runs handlers without end (CVE-2023-44487). Handlers whose call goes on do not count:
   * `maxConnections` times `http2.maxConcurrentStreams` bounds those.
   */
  readonly maxOrphanedHandlers?: number;
  /**
   * Processor time that what one client address sends may take of a turn of the event loop before it waits for others: for
   * one /64 network where it is IPv6; Unix sockets are one client. Its connections share it. Default 1 ms. Less makes turns
   * shorter and calls dearer; more lets one client delay others by as much. Infinity turns it off: then requests are handled
   * in the order of sockets, and eight connections of one client make everybody wait for all that they send. Memory: what
   * waits for its turn, at most 64 MiB for the process, and some 130 KiB a connection.
   */
  readonly turnSliceMs?: number;
  /** Longest time a call may take, also one with a later deadline or with none. Default: no limit. */
  readonly maxCallDurationMs?: number;
  /**
   * A call that waits for the rest of a request message, and gets less than 1,024 octets of it in this time (in up to twice
   * this time), ends with DEADLINE_EXCEEDED. Streams between two messages may be silent. Default 60,000 ms; Infinity
   * turns it off: then a call without a deadline that sends an octet now and then holds its memory for ever.
   */
  readonly requestIdleTimeoutMs?: number;
  /**
   * How long a handler with a request stream waits, when its last message was taken, to hear that there are no more, where
   * the client is one on `node:http2` (grpc-js and connect-es, told by `user-agent`). Such a client half-closes an upload that
   * it cancels, and resets it a moment later: without this its handler sees a complete request and commits it. Default 5 ms,
   * 0 to 1,000; 0: two turns of the event loop, as for all other clients. Costs such an upload or chat this time at its end,
   * and no other call anything.
   */
  readonly cancelGraceMs?: number;
  /**
   * A connection whose client takes no octet of what waits for it for this long (up to half as long again) is closed.
   * Default 30,000 ms; Infinity turns it off. What the system's socket buffer takes counts; it reports room by about a third
   * of its size. Memory without it: `http2.outputHighWaterBytes` and what streams have queued, for ever (CVE-2019-9517).
   */
  readonly writeStallTimeoutMs?: number;
  /**
   * A connection is drained at this age, spread by a tenth to either side, so that clients balance their load anew. Default:
   * no limit (grpc.max_connection_age_ms).
   */
  readonly maxConnectionAgeMs?: number;
  /** What calls get then to finish before they are cut off. Default: no limit (grpc.max_connection_age_grace_ms). */
  readonly maxConnectionAgeGraceMs?: number;
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
   * How often clients may PING while nothing else happens (gRFC A8): `minTimeMs` apart, by default 5 min
   * (grpc.http2.min_recv_ping_interval_without_data_ms), and 2 h apart without a call unless `permitWithoutCalls` is set
   * (grpc.keepalive_permit_without_calls). After `maxStrikes` too early ones, by default 2 (grpc.http2.max_ping_strikes),
   * the next ends the connection with "too_many_pings"; Infinity turns that off. Set `minTimeMs` to what your clients use.
   */
  readonly keepaliveEnforcement?: Partial<PingPolicyOptions>;
  /**
   * Whether messages that handlers return are checked before they are encoded: for fields that their type does not have, unknown
   * cases of oneofs, and objects of a class in the place of a message, as a Date for a Timestamp. Such a call ends with INTERNAL, and
   * `onError` is given an EncodeError with the path. Default: where `NODE_ENV` is not "production". Off it costs nothing, and such
   * values are dropped, a Date becomes 1970-01-01; on it looks at up to 10,000 values of each message.
   */
  readonly checkResponses?: boolean;
  /**
   * Errors that no client will see: what a handler threw and went out as INTERNAL, a failing end listener, a failed accept,
   * `TlsHandshakeError` at most once a second and listener, what of a status the client's header lists have no room for.
   * Default: written to stderr. What it throws itself is written there too, and goes no further.
   */
  readonly onError?: (error: unknown, call: ServerCall | undefined) => void;
  /** Calls that reached no method: unknown path, wrong content-type. What it throws is written to stderr. */
  readonly onRejected?: (rejected: RejectedCall) => void;
}

export interface ResolvedServerOptions extends LifetimeOptions {
  readonly interceptors: readonly ServerInterceptor[];
  readonly limits: ResolvedInbound;
  readonly unsent: SharedBudget;
  readonly http2: ResolvedHttp2Options;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxOrphanedHandlers: number;
  readonly turnSliceMs: number;
  readonly maxCallDurationMs: number;
  readonly requestIdleTimeoutMs: number;
  readonly cancelGraceMs: number;
  readonly writeStallTimeoutMs: number;
  readonly keepalive: KeepaliveOptions;
  readonly keepaliveEnforcement: PingPolicyOptions;
  readonly checkResponses: boolean;
  readonly onError: (error: unknown, call: ServerCall | undefined) => void;
  readonly onRejected: ((rejected: RejectedCall) => void) | undefined;
}

const NONE = Number.POSITIVE_INFINITY;

/** Limits that are one number each and can be switched off: default and least value. */
export const SERVER_LIMITS = {
  maxConnections: { initial: NONE, min: 1 },
  maxConnectionsPerAddress: { initial: NONE, min: 1 },
  maxOrphanedHandlers: { initial: 20_000, min: 1 },
  turnSliceMs: { initial: DEFAULT_SLICE_MS, min: 0.1 },
  maxCallDurationMs: { initial: NONE, min: 1 },
  requestIdleTimeoutMs: { initial: 60_000, min: 1 },
  writeStallTimeoutMs: { initial: DEFAULT_WRITE_STALL_MS, min: 1 },
  maxConnectionAgeMs: { initial: NONE, min: 1 },
  maxConnectionAgeGraceMs: { initial: NONE, min: 0 },
  maxConnectionIdleMs: { initial: NONE, min: 1 },
} as const satisfies Partial<Record<keyof ServerOptions, { readonly initial: number; readonly min: number }>>;

export type ServerLimit = keyof typeof SERVER_LIMITS;

const SERVER_OPTIONS = {
  ...INBOUND_OPTIONS,
  ...namesOf(SERVER_LIMITS),
  interceptors: true,
  http2: HTTP2_OPTIONS,
  maxUnsentBytes: true,
  cancelGraceMs: true,
  checkResponses: "boolean",
  keepalive: { timeMs: true, timeoutMs: true } satisfies OptionTable<NonNullable<ServerOptions["keepalive"]>>,
  keepaliveEnforcement: {
    minTimeMs: true,
    permitWithoutCalls: "boolean",
    maxStrikes: true,
  } satisfies OptionTable<PingPolicyOptions>,
  onError: "function",
  onRejected: "function",
} as const satisfies OptionTable<ServerOptions>;

function resolveLimits(options: ServerOptions): Record<ServerLimit, number> {
  const limits = {} as Record<ServerLimit, number>;
  for (const name of Object.keys(SERVER_LIMITS) as ServerLimit[]) {
    const { initial, min } = SERVER_LIMITS[name];
    limits[name] = inRange(name, options[name] ?? initial, min);
  }
  return limits;
}

/** Throws RangeError, TypeError or UsageError naming the option, what was given and what is allowed. */
export function resolveServerOptions(options: ServerOptions): ResolvedServerOptions {
  checkOptions("new Server()", options, SERVER_OPTIONS);
  checkInterceptors(options.interceptors);
  const { keepalive = {}, keepaliveEnforcement: enforcement = {}, maxUnsentBytes } = options;
  return Object.freeze({
    interceptors: options.interceptors ?? [],
    limits: resolveInboundLimits(options, "server"),
    unsent:
      maxUnsentBytes === undefined ? processUnsent : new SharedBudget(inRange("maxUnsentBytes", maxUnsentBytes, 0)),
    http2: resolveHttp2Options(options.http2),
    ...resolveLimits(options),
    cancelGraceMs: inRange("cancelGraceMs", options.cancelGraceMs ?? 5, 0, 1_000),
    keepalive: {
      timeMs: inRange("keepalive.timeMs", keepalive.timeMs ?? 7_200_000, 1),
      timeoutMs: inRange("keepalive.timeoutMs", keepalive.timeoutMs ?? 20_000, 1),
      withoutCalls: true,
    },
    keepaliveEnforcement: {
      minTimeMs: inRange("keepaliveEnforcement.minTimeMs", enforcement.minTimeMs ?? 300_000, 0),
      permitWithoutCalls: enforcement.permitWithoutCalls ?? false,
      maxStrikes: inRange("keepaliveEnforcement.maxStrikes", enforcement.maxStrikes ?? 2, 0),
    },
    checkResponses: options.checkResponses ?? isDevelopment(),
    onError: options.onError ?? writeToStderr,
    onRejected: options.onRejected,
  });
}

function writeToStderr(error: unknown, call: ServerCall | undefined): void {
  const where = call === undefined ? "server" : call.method.path;
  process.stderr.write(`volant: ${where}: ${printable(stackOfThrown(error))}\n`);
}
