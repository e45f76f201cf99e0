/**
 * Which state × input pairs of the stream machine were put to a core. Owns that record; decides nothing.
 */
import type { Http2Connection } from "../../packages/volant/src/http2/connection.ts";
import { FrameFlag, FrameType } from "../../packages/volant/src/http2/frame-type.ts";
import {
  STREAM_INPUTS,
  STREAM_TRANSITIONS,
  StreamInput,
  StreamState,
  StreamVerdict,
} from "../../packages/volant/src/http2/stream-state.ts";
import { isBetweenBlocks, partsOf } from "./internals.ts";

export const ALL_TRANSITIONS = STREAM_TRANSITIONS.length;

export class TransitionMap {
  private readonly seen = new Uint8Array(ALL_TRANSITIONS);

  get reached(): number {
    return this.seen.reduce((sum, one) => sum + one, 0);
  }

  /** `state.input` of the pairs that were not. */
  missing(): string[] {
    const states = Object.keys(StreamState);
    const inputs = Object.keys(StreamInput);
    return [...this.seen.keys()]
      .filter((pair) => this.seen[pair] === 0)
      .map((pair) => `${states[Math.floor(pair / STREAM_INPUTS)]}.${inputs[pair % STREAM_INPUTS]}`);
  }

  /** To be called before the frame is handled. */
  receives(connection: Http2Connection, type: number, flags: number, streamId: number): void {
    if (streamId === 0 || !connection.isReady || !isBetweenBlocks(connection)) return;
    const input = receiveInput(type, flags);
    if (input >= 0) this.note(stateOf(connection, streamId), input);
  }

  /** To be called before the command. True where the table says that it is misuse. */
  sends(state: number, input: number): boolean {
    this.note(state, input);
    return STREAM_TRANSITIONS[state * STREAM_INPUTS + input] === StreamVerdict.MISUSE;
  }

  private note(state: number, input: number): void {
    this.seen[state * STREAM_INPUTS + input] = 1;
  }
}

function stateOf(connection: Http2Connection, streamId: number): number {
  const { streams } = partsOf(connection);
  return streams.get(streamId)?.state ?? (streams.isIdle(streamId) ? StreamState.IDLE : StreamState.CLOSED);
}

function receiveInput(type: number, flags: number): number {
  const ends = (flags & FrameFlag.END_STREAM) !== 0;
  switch (type) {
    case FrameType.HEADERS:
      return ends ? StreamInput.RECEIVE_HEADERS_END : StreamInput.RECEIVE_HEADERS;
    case FrameType.DATA:
      return ends ? StreamInput.RECEIVE_DATA_END : StreamInput.RECEIVE_DATA;
    case FrameType.RST_STREAM:
      return StreamInput.RECEIVE_RST;
    case FrameType.WINDOW_UPDATE:
      return StreamInput.RECEIVE_WINDOW_UPDATE;
    default:
      return -1;
  }
}
