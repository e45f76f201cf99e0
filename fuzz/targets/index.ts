/**
 * The targets, in the order in which they run. A new one is a file here and an entry in this list.
 */

import { HTTP2_TARGETS } from "../http2/index.ts";
import type { FuzzTarget } from "../target.ts";
import { codec } from "./codec.ts";
import { publishedTypes } from "./published-types.ts";

export const TARGETS: readonly FuzzTarget[] = [codec, publishedTypes, ...HTTP2_TARGETS];
