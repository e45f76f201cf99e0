/**
 * What is checked in development only. Owns what that is: wherever `NODE_ENV` is not "production".
 */

/** Asked when a server or a channel is made, never on a call. */
export function isDevelopment(): boolean {
  return process.env.NODE_ENV !== "production";
}
