// Owns: `docs/spec/stream-states.md`, drawn from the table that the core runs on.
// Invariant: nothing here knows a transition; whatever the table says is what is drawn.

import {
  STREAM_INPUTS,
  STREAM_TRANSITIONS,
  StreamInput,
  StreamState,
  StreamVerdict,
} from "../packages/volant/src/http2/stream-state.ts";

export const STATE_TABLE_FILE = "docs/spec/stream-states.md";

const STATES = Object.entries(StreamState).sort((one, other) => one[1] - other[1]);
const INPUTS = Object.entries(StreamInput).sort((one, other) => one[1] - other[1]);
const VERDICTS = new Map<number, string>(Object.entries(StreamVerdict).map(([name, value]) => [value, name]));
const STATE_NAMES = new Map<number, string>(STATES.map(([name, value]) => [value, name]));

/** What each verdict means, for the legend. A verdict without a line here fails. */
const MEANINGS: Readonly<Record<keyof typeof StreamVerdict, string>> = {
  PROTOCOL_ERROR: "a frame on a stream that nobody opened: the connection ends with PROTOCOL_ERROR",
  STREAM_CLOSED: "a frame after the peer's own END_STREAM: the connection ends with STREAM_CLOSED",
  IGNORE: "legal to arrive late: nothing happens",
  MISUSE: "our own runtime sent what the state does not allow: `UsageError`",
};

function next(state: number, input: number): number {
  return STREAM_TRANSITIONS[state * STREAM_INPUTS + input]!;
}

function render(result: number): string {
  return STATE_NAMES.get(result) ?? `*${VERDICTS.get(result)}*`;
}

/** One arrow for all inputs that lead from a state to another, in the order of the inputs. */
function arrows(): string[] {
  return STATES.flatMap(([from, state]) =>
    STATES.flatMap(([to, target]) => {
      const inputs = INPUTS.filter(([, input]) => next(state, input) === target && target !== state);
      return inputs.length === 0 ? [] : [`  ${from} --> ${to}: ${inputs.map(([name]) => name).join("<br>")}`];
    }),
  );
}

export function renderStateTable(): string {
  return [
    "# Stream states",
    "",
    "The stream machine of `packages/volant/src/http2/stream-state.ts`, state × input. RFC 9113 §5.1. `_END` is END_STREAM.",
    "",
    "This file is written by `npm run spec`; a test fails when it is not up to date.",
    "",
    "```mermaid",
    "stateDiagram-v2",
    "  [*] --> IDLE",
    ...arrows(),
    "  CLOSED --> [*]",
    "```",
    "",
    `| Input | ${STATES.map(([name]) => name).join(" | ")} |`,
    `| --- |${" --- |".repeat(STATES.length)}`,
    ...INPUTS.map(
      ([name, input]) => `| ${name} | ${STATES.map(([, state]) => render(next(state, input))).join(" | ")} |`,
    ),
    "",
    ...Object.entries(MEANINGS).map(([name, meaning]) => `- *${name}*: ${meaning}`),
    "",
    "Late frames on streams that are not remembered any more never reach this table: `receive-path.ts` and",
    "`receive-headers.ts` judge them by how the stream ended.",
    "",
  ].join("\n");
}
