/**
 * `RpcError`: a call that ended with a status other than OK, on whichever side.
 *
 * Must not know: the wire, and when an error is sent (the server's and the client's call decide).
 * Invariants: `code` is never OK; `origin` tells who made it, so that an error of a client call that passes through a
 * handler is not mistaken for the handler's own answer. `message` is the text as it was given or received; what is printed of
 * an error, its `stack`, `toString()` and with them `console.log`, has the name of the code and the method in front of it, and
 * cannot reach into a terminal.
 *
 * V8 writes the text of a stack when somebody first asks for it, because that is expensive: so its own property gives way to one of
 * the prototype, which asks then, and mends the first line. Where there are no frames the text is written at once.
 * Spec: gRPC statuscodes; google.rpc.Status.
 */

import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { printable } from "../grpc/printable.ts";
import { isStatusCode, StatusCode, type StatusName, statusName } from "../grpc/status-code.ts";
import { type ErrorDetail, type ErrorDetailInit, readDetail, toErrorDetail } from "./error-details.ts";
import { isErrorLike } from "./foreign-values.ts";
import { Metadata, type MetadataInit } from "./metadata.ts";
import { checkOptions, type OptionTable } from "./option-names.ts";

/**
 * - `application`: user code made it; a server sends it as it is.
 * - `client`: a client call ended with it, by the peer's status or by a local cause.
 * - `library`: the runtime of this side made it, for instance for a request that is too large.
 */
export type ErrorOrigin = "application" | "client" | "library";

export interface RpcErrorOptions {
  /**
   * Messages that say more: `badRequest({ … })`, `[Schema, init]`, … Where the status is larger than the client's header lists
   * may be, they are the first that is left out, then the end of the message, then `metadata`; `onError` is told.
   */
  readonly details?: readonly ErrorDetailInit[] | undefined;
  /** Trailers that go with the status. */
  readonly metadata?: MetadataInit | undefined;
  /** What made this happen. Stays in this process: it is never sent. */
  readonly cause?: unknown;
}

const ERROR_OPTIONS = {
  details: "array",
  metadata: true,
  cause: "any",
} as const satisfies OptionTable<RpcErrorOptions>;

/** V8's own way to the text of a stack. Where V8 has none, as older versions of it, the text is written at once. */
const textOfStack: ((this: Error) => unknown) | undefined = Object.getOwnPropertyDescriptor(new Error(), "stack")?.get;

/** Frames above this function are left out. */
type Below = (...args: never[]) => unknown;

/** On the prototype of every copy's `RpcError`. Its shape is public: code, message, details, metadata, origin. */
const BRAND: unique symbol = Symbol.for("volant.RpcError") as never;

/** What this module may do with the private parts of an error, where it is of this copy. */
let secrets: {
  nameMethod(error: RpcError, path: string): void;
  recapture(error: RpcError, below: Below): void;
};

const NO_DETAILS: readonly ErrorDetail[] = Object.freeze([]);

/**
 * Throws TypeError when `code` is no status code or is OK, when a detail comes without its schema, and when metadata is
 * not legal.
 */
export class RpcError extends Error {
  /**
   * `error instanceof RpcError` holds for errors of another copy of the package and of another realm too: a test runner's
   * sandbox, an ES module beside a bundle. A class that extends `RpcError` has its own instances only.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a subclass inherits this method, and `this` is the class that was asked
    if (this !== RpcError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && BRAND in value;
  }

  declare readonly name: "RpcError";
  readonly code: StatusCode;
  /** Made here: with their schema. Received: `google.protobuf.Any`. `detail(schema)` reads both. */
  readonly details: readonly ErrorDetail[];
  readonly origin: ErrorOrigin = "application";
  #metadata: Metadata | undefined;
  #method: string | undefined;

  static {
    // On the prototype, so that the first line of `stack`, which is written inside super(), already has it.
    Object.defineProperty(RpcError.prototype, "name", { value: "RpcError", configurable: true, writable: true });
    Object.defineProperty(RpcError.prototype, BRAND, { value: true });
    secrets = {
      nameMethod(error, path) {
        if (!(#method in error) || error.#method !== undefined) return;
        error.#method = path;
        if (Object.hasOwn(error, "stack")) error.stack = error.toString();
      },
      recapture(error, below) {
        if (!(#method in error)) return;
        Error.captureStackTrace(error, below);
        settleStack(error);
      },
    };
  }

  constructor(code: StatusCode, message = "", options?: RpcErrorOptions) {
    super(message, causeOf(options));
    if (options !== undefined) checkErrorOptions(options);
    if (!isStatusCode(code) || code === StatusCode.OK) {
      throw new TypeError(
        `RpcError was given code ${String(code)}; it takes 1 (CANCELLED) to 16 (UNAUTHENTICATED), as StatusCode.NOT_FOUND`,
      );
    }
    this.code = code;
    this.details = options?.details?.length ? Object.freeze(options.details.map(toErrorDetail)) : NO_DETAILS;
    this.#metadata = options?.metadata === undefined ? undefined : Metadata.from(options.metadata);
    settleStack(this);
  }

  /**
   * An error to throw from a handler, made of whatever was caught. An RpcError of a client call is copied with its code,
   * message, details and trailers, and becomes the application's own. An AbortError is CANCELLED, a TimeoutError
   * DEADLINE_EXCEEDED; any other has `fallbackCode` and its message, which the peer will read.
   */
  static from(thrown: unknown, fallbackCode: StatusCode = StatusCode.UNKNOWN): RpcError {
    if (thrown instanceof RpcError) {
      if (thrown.origin === "application") return thrown;
      const { code, message, details } = thrown;
      return new RpcError(code, message, { details, metadata: thrown.metadata, cause: thrown });
    }
    if (!isErrorLike(thrown)) {
      return new RpcError(fallbackCode, typeof thrown === "string" ? thrown : "", { cause: thrown });
    }
    return new RpcError(codeOf(thrown) ?? fallbackCode, thrown.message, { cause: thrown });
  }

  /** `"NOT_FOUND"` */
  get codeName(): StatusName {
    return statusName(this.code);
  }

  /** The trailers, possibly empty. */
  get metadata(): Metadata {
    this.#metadata ??= new Metadata();
    return this.#metadata;
  }

  /** The path of the call that ended with this, `"/user.UserService/GetUser"`: set on errors of client calls. */
  get method(): string | undefined {
    return #method in this ? this.#method : undefined;
  }

  /** `"RpcError: NOT_FOUND /user.UserService/GetUser: no such user"`, and where it was thrown or awaited. */
  override get stack(): string {
    return withTitle(this, textOfStack?.call(this));
  }

  override set stack(stack: string | undefined) {
    Object.defineProperty(this, "stack", { value: stack, writable: true, configurable: true });
  }

  /** `"RpcError: NOT_FOUND /user.UserService/GetUser: no such user"`; control characters of the message are escaped. */
  override toString(): string {
    const title = titleOf(this);
    return printable(this.message === "" ? title : `${title}: ${this.message}`);
  }

  /** The first detail of this type: `error.detail(BadRequestSchema)?.fieldViolations`. */
  detail<Desc extends DescMessage>(schema: Desc): MessageShape<Desc> | undefined {
    for (const detail of this.details) {
      const message = readDetail(detail, schema);
      if (message !== undefined) return message;
    }
    return undefined;
  }
}

/** The path of the call that ended with this error, unless it is that of another call already. */
export function nameMethod(error: RpcError, path: string): void {
  secrets.nameMethod(error, path);
}

/** Replaces the frames of an error by those from here, without those above `below`. */
export function recaptureStack(error: RpcError, below: Below): void {
  secrets.recapture(error, below);
}

/**
 * An error that the library makes, internal. It has no stack frames: they would name library code and nothing else, and
 * capturing them costs about four times what the rest does (2.9 µs against 0.7 µs), which an outage multiplies by every call.
 */
export function createRpcError(
  origin: ErrorOrigin,
  code: StatusCode,
  message: string,
  options?: RpcErrorOptions,
): RpcError {
  const limit = Error.stackTraceLimit;
  // V8 has no other way to an Error without frames. Reflect.set, because the property may be frozen.
  Reflect.set(Error, "stackTraceLimit", 0);
  try {
    const error = new RpcError(code, message, options);
    (error as { origin: ErrorOrigin }).origin = origin;
    return error;
  } finally {
    Reflect.set(Error, "stackTraceLimit", limit);
  }
}

/** `RpcError: NOT_FOUND /user.UserService/GetUser`. */
function titleOf(error: RpcError): string {
  const { name, codeName, method } = error;
  return method === undefined ? `${name}: ${codeName}` : `${name}: ${codeName} ${method}`;
}

/** V8 has just written its own property. */
function settleStack(error: RpcError): void {
  if (Error.stackTraceLimit === 0) error.stack = error.toString();
  else if (textOfStack === undefined) error.stack = withTitle(error, error.stack);
  else Reflect.deleteProperty(error, "stack");
}

/** `Error.prepareStackTrace` of the application may have made something else of a stack. */
function withTitle(error: RpcError, stack: unknown): string {
  if (stack === undefined) return error.toString();
  if (typeof stack !== "string") return stack as string;
  return printable(stack.startsWith(error.name) ? `${titleOf(error)}${stack.slice(error.name.length)}` : stack);
}

function causeOf(options: RpcErrorOptions | undefined): ErrorOptions | undefined {
  return typeof options === "object" && options !== null && "cause" in options ? { cause: options.cause } : undefined;
}

function checkErrorOptions(options: RpcErrorOptions): void {
  if (isErrorLike(options)) throw new TypeError("new RpcError(): an error given as options; give { cause: error }");
  checkOptions("new RpcError()", options, ERROR_OPTIONS);
}

function codeOf(error: Error): StatusCode | undefined {
  if (error.name === "AbortError") return StatusCode.CANCELLED;
  if (error.name === "TimeoutError") return StatusCode.DEADLINE_EXCEEDED;
  return undefined;
}
