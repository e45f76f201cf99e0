/**
 * `volant/testing`: services tested over a real connection, without a port.
 */
import "../runtime-floor.ts";

export { createTestChannel, type TestChannelOptions } from "./test-channel.ts";
export type { ErrorCodeName, FaultyCall, TestFault, TestFaults } from "./test-faults.ts";
export { type FakeClock, useFakeClock } from "./use-fake-clock.ts";
export { eventually, Lab, type UseServerOptions, useServer } from "./use-server.ts";
