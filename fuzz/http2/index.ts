/**
 * The targets of the HTTP/2 core, from the octet to the connection.
 */
import type { FuzzTarget } from "../target.ts";
import { connection } from "./connection.ts";
import { differential, differentialClient } from "./differential.ts";
import { frameReader } from "./frame-reader.ts";
import { headerRules } from "./header-rules.ts";
import { hpack } from "./hpack.ts";

export const HTTP2_TARGETS: readonly FuzzTarget[] = [
  frameReader,
  hpack,
  headerRules,
  connection,
  differential,
  differentialClient,
];
