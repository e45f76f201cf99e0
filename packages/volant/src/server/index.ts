/**
 * The public face of the server: what built-in services and interceptors may import of this layer.
 */
export type { Handler, Handlers } from "./handlers.ts";
export { type DrainOptions, Server, type ServerObserver } from "./server.ts";
