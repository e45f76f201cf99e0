/**
 * The gRPC status codes: the one table from which the codes, their types, their names and their meanings derive.
 *
 * Must not know: how a status travels (`trailers.ts`) or how it reaches the user (`rpc/`).
 * Invariant: a `StatusCode` is always one of the 17 codes; whatever else a peer sends has become UNKNOWN.
 * Spec: gRPC PROTOCOL-HTTP2 "Status", gRPC statuscodes.
 */

export const statusCodes = {
  OK: { code: 0, meaning: "the call succeeded" },
  CANCELLED: { code: 1, meaning: "the caller gave up" },
  UNKNOWN: { code: 2, meaning: "an error that says nothing about itself" },
  INVALID_ARGUMENT: { code: 3, meaning: "the request is wrong whatever the state of the system" },
  DEADLINE_EXCEEDED: { code: 4, meaning: "the deadline passed before the call ended" },
  NOT_FOUND: { code: 5, meaning: "the thing asked for does not exist" },
  ALREADY_EXISTS: { code: 6, meaning: "the thing to create exists" },
  PERMISSION_DENIED: { code: 7, meaning: "the caller is known and may not do this" },
  RESOURCE_EXHAUSTED: { code: 8, meaning: "a quota, a limit or a buffer is used up" },
  FAILED_PRECONDITION: {
    code: 9,
    meaning: "the system is not in the state that this needs; fix the state, then retry",
  },
  ABORTED: { code: 10, meaning: "a conflict with concurrent work; retry the whole transaction" },
  OUT_OF_RANGE: { code: 11, meaning: "past the valid range, as reading after the end" },
  UNIMPLEMENTED: { code: 12, meaning: "the method is not served here" },
  INTERNAL: { code: 13, meaning: "an invariant broke on the side that answers" },
  UNAVAILABLE: { code: 14, meaning: "not reachable now; retry with backoff" },
  DATA_LOSS: { code: 15, meaning: "data is lost or corrupt for good" },
  UNAUTHENTICATED: { code: 16, meaning: "the caller is not known: credentials are missing or wrong" },
} as const;

/** A code's name as the specification writes it: `"NOT_FOUND"`. */
export type StatusName = keyof typeof statusCodes;

/** One of the 17 codes, 0 to 16. */
export type StatusCode = (typeof statusCodes)[StatusName]["code"];

/** `StatusCode.NOT_FOUND` is 5. */
export const StatusCode = Object.freeze(
  Object.fromEntries(Object.entries(statusCodes).map(([name, { code }]) => [name, code])),
) as { readonly [Name in StatusName]: (typeof statusCodes)[Name]["code"] };

const names = Object.keys(statusCodes) as StatusName[];
const camelNames = names.map((name) =>
  name === "OK" ? name : name.toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase()),
);

/** Whether `value` is one of the 17 codes. */
export function isStatusCode(value: unknown): value is StatusCode {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < names.length;
}

/** `5` → `"NOT_FOUND"`, the name of logs and metrics. */
export function statusName(code: StatusCode): StatusName {
  return names[code] ?? "UNKNOWN";
}

/** `5` → `"NotFound"`, the name that grpc-go tools print. */
export function statusCamelName(code: StatusCode): string {
  return camelNames[code] ?? "Unknown";
}

/**
 * Reads the value of `grpc-status`: decimal without leading zeros. Anything else, a code above 16 included, is UNKNOWN,
 * so that a peer's newer or private code cannot take a path that nobody wrote.
 */
export function parseStatusCode(text: string): StatusCode {
  const first = text.charCodeAt(0) - 48;
  if (text.length === 1) return first >= 0 && first <= 9 ? (first as StatusCode) : StatusCode.UNKNOWN;
  const second = text.charCodeAt(1) - 48;
  const inRange = text.length === 2 && first === 1 && second >= 0 && second < names.length - 10;
  return inRange ? ((10 + second) as StatusCode) : StatusCode.UNKNOWN;
}
