/**
 * `volant/testing`: services tested over a real connection, without a port.
 */
export { createTestChannel } from "./test-channel.ts";
export { eventually, Lab, type UseServerOptions, useServer } from "./use-server.ts";
