/**
 * gRPC's interop suite with ourselves: our client against our server, in cleartext and over TLS. It proves nothing about
 * others, and it runs where no other implementation is installed.
 */
import { INTEROP_CASES, type InteropCaseName } from "../programs/interop-cases.ts";
import { ourCompressedCases, startWatchedServer } from "./interop-compressed.ts";
import { ourCases, startOurServer } from "./interop-setting.ts";
import type { Suite } from "./suite.ts";

const NAMES = Object.keys(INTEROP_CASES) as InteropCaseName[];

export const interop: Suite = {
  name: "interop",
  isFast: true,
  tools: [],
  peer: "our own server",
  async run() {
    const plain = await ourCases(NAMES, {}, startOurServer);
    return [{ role: "client", cases: [...plain, ...(await ourCompressedCases(startWatchedServer, true))] }];
  },
};
