/**
 * What nghttp2's tools print, as numbers. Owns the format of `nghttp -v` and of h2load's summary.
 */

export interface NghttpTrace {
  /** The header blocks that arrived, in order; trailers are the last one. */
  readonly headers: readonly Readonly<Record<string, string>>[];
  /** Payload of the DATA frames that arrived. */
  readonly dataBytes: number;
}

const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, "g");
const RECEIVED_FIELD = /^\[[^\]]*\] recv \(stream_id=\d+\) (:?[^:\s]+): (.*)$/;
const RECEIVED_BLOCK_END = /^\[[^\]]*\] recv HEADERS frame /;
const RECEIVED_DATA = /^\[[^\]]*\] recv DATA frame <length=(\d+),/;

/** Fields are printed before the frame that they came in. */
export function parseNghttpTrace(text: string): NghttpTrace {
  const headers: Readonly<Record<string, string>>[] = [];
  let fields: Record<string, string> = {};
  let dataBytes = 0;
  for (const line of text.replaceAll(COLOURS, "").split("\n")) {
    const [, name, value] = RECEIVED_FIELD.exec(line) ?? [];
    if (name !== undefined && value !== undefined) fields[name] = value;
    if (RECEIVED_BLOCK_END.test(line)) {
      headers.push(fields);
      fields = {};
    }
    dataBytes += Number(RECEIVED_DATA.exec(line)?.[1] ?? 0);
  }
  return { headers, dataBytes };
}

export interface H2loadSummary {
  readonly started: number;
  readonly succeeded: number;
}

/** Throws where the summary is missing. */
export function parseH2load(text: string): H2loadSummary {
  const [, started, succeeded] = /^requests: \d+ total, (\d+) started, \d+ done, (\d+) succeeded,/m.exec(text) ?? [];
  if (started === undefined) throw new Error(`h2load printed no summary: ${text.slice(-300)}`);
  return { started: Number(started), succeeded: Number(succeeded) };
}
