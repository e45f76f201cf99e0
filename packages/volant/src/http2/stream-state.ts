/**
 * The stream state machine as one integer table, state × input → next state or verdict. RFC 9113 §5.1. Server push is
 * never used, so the reserved states do not exist here. Owns no stream: it is a pure function of two small integers, and
 * it is exported so that tests and documentation are made from it.
 *
 * One rule is stricter than the RFC: a frame that is illegal after the peer's END_STREAM ends the connection, not the
 * stream, so that nobody can make us send resets without end (CVE-2025-8671).
 */

export const StreamState = {
  IDLE: 0,
  OPEN: 1,
  HALF_CLOSED_LOCAL: 2,
  HALF_CLOSED_REMOTE: 3,
  CLOSED: 4,
} as const;
export type StreamState = number;

export const StreamInput = {
  RECEIVE_HEADERS: 0,
  RECEIVE_HEADERS_END: 1,
  RECEIVE_DATA: 2,
  RECEIVE_DATA_END: 3,
  RECEIVE_RST: 4,
  RECEIVE_WINDOW_UPDATE: 5,
  SEND_HEADERS: 6,
  SEND_HEADERS_END: 7,
  SEND_DATA: 8,
  SEND_DATA_END: 9,
  SEND_RST: 10,
} as const;
export type StreamInput = number;

/** Results above every state. */
export const StreamVerdict = {
  /** A frame on a stream that nobody opened: connection error PROTOCOL_ERROR. */
  PROTOCOL_ERROR: 0x80,
  /** A frame after the peer's own END_STREAM: connection error STREAM_CLOSED. */
  STREAM_CLOSED: 0x81,
  /** Legal to arrive late: nothing happens. */
  IGNORE: 0x82,
  /** Our own runtime sent what the state does not allow. */
  MISUSE: 0x83,
} as const;

const STATES = Object.keys(StreamState).length;
const INPUTS = Object.keys(StreamInput).length;

const { IDLE, OPEN, HALF_CLOSED_LOCAL: LOCAL, HALF_CLOSED_REMOTE: REMOTE, CLOSED } = StreamState;
const { PROTOCOL_ERROR: PROTO, STREAM_CLOSED: GONE, IGNORE, MISUSE } = StreamVerdict;

const ROWS: readonly (readonly number[])[] = [
  // R_HEADERS R_HEADERS_END R_DATA  R_DATA_END R_RST   R_WINDOW  S_HEADERS S_HEADERS_END S_DATA  S_DATA_END S_RST
  [OPEN, REMOTE, PROTO, PROTO, PROTO, PROTO, OPEN, LOCAL, MISUSE, MISUSE, MISUSE], // IDLE
  [OPEN, REMOTE, OPEN, REMOTE, CLOSED, OPEN, OPEN, LOCAL, OPEN, LOCAL, CLOSED], // OPEN
  [LOCAL, CLOSED, LOCAL, CLOSED, CLOSED, LOCAL, MISUSE, MISUSE, MISUSE, MISUSE, CLOSED], // HALF_CLOSED_LOCAL
  [GONE, GONE, GONE, GONE, CLOSED, REMOTE, REMOTE, CLOSED, REMOTE, CLOSED, CLOSED], // HALF_CLOSED_REMOTE
  [GONE, GONE, GONE, GONE, IGNORE, IGNORE, MISUSE, MISUSE, MISUSE, MISUSE, IGNORE], // CLOSED
];

/** `STREAM_TRANSITIONS[state * STREAM_INPUTS + input]`. */
export const STREAM_INPUTS: number = INPUTS;
export const STREAM_TRANSITIONS: Uint8Array = Uint8Array.from(ROWS.flat());

if (STREAM_TRANSITIONS.length !== STATES * INPUTS || IDLE !== 0) throw new Error("stream transitions are not total");

export function nextStreamState(state: StreamState, input: StreamInput): number {
  return STREAM_TRANSITIONS[state * INPUTS + input]!;
}

/** True for the results of {@link nextStreamState} that are no state. */
export function isVerdict(next: number): boolean {
  return next >= StreamVerdict.PROTOCOL_ERROR;
}
