// Owns: one decoding of one input, in a process of its own: its processor time and its memory, as a server with default options would
// decode it. Invariant: what is decoded lives until it was measured.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { DecodeLimitError } from "volant/protobuf";
import { ProtobufCodec } from "../../packages/volant/src/protobuf/message-codec.ts";
import { resolveInboundLimits } from "../../packages/volant/src/stream/inbound-limits.ts";
import { answerJobs } from "../lib/worker-jobs.ts";
import { INPUTS } from "./inputs.ts";
import type { Job, Measured } from "./protocol.ts";

const WARM_UP_BYTES = 20_000;
const WARM_UPS = 20;
const { maxDecodedValues } = resolveInboundLimits({}, "server").decoding;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function measure({ name }: Job): Measured {
  const input = INPUTS.find((candidate) => candidate.name === name);
  if (input === undefined) throw new Error(`no input is called ${name}`);
  const { schema, unknownFields = "drop", create } = input;
  const codec = new ProtobufCodec(schema, { unknownFields, maxDecodedValues });
  const bytes = create();
  const tryDecode = (end: number): unknown => {
    try {
      return codec.decode(bytes, 0, end);
    } catch (error) {
      return error;
    }
  };
  for (let count = 0; count < WARM_UPS; count++) tryDecode(Math.min(WARM_UP_BYTES, bytes.length));
  collectGarbage();
  const usedBefore = usedBytes();
  const before = process.cpuUsage();
  const result = tryDecode(bytes.length);
  const { user, system } = process.cpuUsage(before);
  const megabytes = Math.max(0, usedBytes() - usedBefore) / 1e6;
  const refused = result instanceof DecodeLimitError;
  if (result instanceof Error && !refused) throw result;
  return { ms: (user + system) / 1_000, megabytes, refused };
}

answerJobs(measure);
