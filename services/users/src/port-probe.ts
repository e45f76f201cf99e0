/**
 * Asks the system whether the address can be listened on, before anything slow or shared is opened: a port that is taken
 * is told at once, not after the database has started. Owns no port; the server's own `listen` decides.
 */

import { createServer } from "node:net";

/** Rejects with the system's error (`code` EADDRINUSE and its like). */
export function probePort(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen({ host, port }, () => probe.close(() => resolve()));
  });
}
