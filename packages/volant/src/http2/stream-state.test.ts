import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  isVerdict,
  nextStreamState,
  STREAM_INPUTS,
  STREAM_TRANSITIONS,
  StreamInput,
  StreamState,
  StreamVerdict,
} from "./stream-state.ts";

const STATES = Object.values(StreamState);
const INPUTS = Object.values(StreamInput);
const isReceived = (input: number) => input <= StreamInput.RECEIVE_WINDOW_UPDATE;

test("§5.1 the machine is total: every state × input is a state or a verdict, and the table has nothing else", () => {
  assert.equal(STREAM_INPUTS, INPUTS.length);
  assert.equal(STREAM_TRANSITIONS.length, STATES.length * INPUTS.length);
  const results = new Set<number>([...STATES, ...Object.values(StreamVerdict)]);
  for (const state of STATES) {
    for (const input of INPUTS) {
      const next = nextStreamState(state, input);
      assert.ok(results.has(next), `${state} × ${input} is ${next}`);
      assert.equal(isVerdict(next), !STATES.includes(next as 0));
    }
  }
});

test("§5.1 only our own runtime is blamed for what we send, and only the peer for what it sends", () => {
  for (const state of STATES) {
    for (const input of INPUTS) {
      const next = nextStreamState(state, input);
      if (isReceived(input)) assert.notEqual(next, StreamVerdict.MISUSE);
      else assert.ok(!isVerdict(next) || next === StreamVerdict.MISUSE || next === StreamVerdict.IGNORE);
    }
  }
});

/** RFC 9113 §5.1, figure 2, without its reserved states: what is left when either half is done. */
test("§5.1 END_STREAM closes exactly the half of whoever sent it, and a reset closes both", () => {
  const { OPEN, HALF_CLOSED_LOCAL, HALF_CLOSED_REMOTE, CLOSED } = StreamState;
  for (const [state, input, expected] of [
    [OPEN, StreamInput.RECEIVE_DATA_END, HALF_CLOSED_REMOTE],
    [OPEN, StreamInput.RECEIVE_HEADERS_END, HALF_CLOSED_REMOTE],
    [OPEN, StreamInput.SEND_DATA_END, HALF_CLOSED_LOCAL],
    [OPEN, StreamInput.SEND_HEADERS_END, HALF_CLOSED_LOCAL],
    [HALF_CLOSED_LOCAL, StreamInput.RECEIVE_DATA_END, CLOSED],
    [HALF_CLOSED_LOCAL, StreamInput.RECEIVE_HEADERS_END, CLOSED],
    [HALF_CLOSED_REMOTE, StreamInput.SEND_DATA_END, CLOSED],
    [HALF_CLOSED_REMOTE, StreamInput.SEND_HEADERS_END, CLOSED],
  ] as const) {
    assert.equal(nextStreamState(state, input), expected);
  }
  for (const state of [OPEN, HALF_CLOSED_LOCAL, HALF_CLOSED_REMOTE]) {
    assert.equal(nextStreamState(state, StreamInput.RECEIVE_RST), CLOSED);
    assert.equal(nextStreamState(state, StreamInput.SEND_RST), CLOSED);
  }
});

test("§5.1 on an idle stream only HEADERS may come, and only HEADERS may go", () => {
  for (const input of INPUTS) {
    const isHeaders = [0, 1, 6, 7].includes(input);
    assert.equal(isVerdict(nextStreamState(StreamState.IDLE, input)), !isHeaders);
  }
});

test("CVE-2025-8671 whatever the peer sends after its END_STREAM is no stream error", () => {
  for (const state of [StreamState.HALF_CLOSED_REMOTE, StreamState.CLOSED]) {
    for (const input of [0, 1, 2, 3]) assert.equal(nextStreamState(state, input), StreamVerdict.STREAM_CLOSED);
  }
});

test("§5.1 along any run a half that is done stays done, and a closed stream stays closed", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...INPUTS), { maxLength: 40 }), (inputs) => {
      let state: number = StreamState.IDLE;
      let [remoteDone, localDone] = [false, false];
      for (const input of inputs) {
        const next = nextStreamState(state, input);
        if (isVerdict(next)) continue;
        state = next;
        remoteDone ||= input === StreamInput.RECEIVE_HEADERS_END || input === StreamInput.RECEIVE_DATA_END;
        localDone ||= input === StreamInput.SEND_HEADERS_END || input === StreamInput.SEND_DATA_END;
        if (input === StreamInput.RECEIVE_RST || input === StreamInput.SEND_RST) [remoteDone, localDone] = [true, true];
        const isRemoteDone = state === StreamState.HALF_CLOSED_REMOTE || state === StreamState.CLOSED;
        const isLocalDone = state === StreamState.HALF_CLOSED_LOCAL || state === StreamState.CLOSED;
        assert.deepEqual([isRemoteDone, isLocalDone], [remoteDone, localDone]);
      }
    }),
  );
});
