/**
 * Targets as users write them, and the address they name. Owns the grammar; opens nothing.
 *
 *   host:port, dns:host:port, dns:///host:port    a name, resolved when a connection is made
 *   ipv4:1.2.3.4:port, ipv6:[::1]:port            an address
 *   unix:path, unix:///absolute/path              a Unix socket
 */

export type Endpoint =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

export interface Target {
  readonly endpoint: Endpoint;
  /** What stands in `:authority` unless the channel names another. RFC 9113 §8.3.1. */
  readonly authority: string;
}

const FORMS = "host:port, dns:///host:port, ipv4:address:port, ipv6:[address]:port, unix:path or unix:///path";

/** Throws TypeError saying what was given and which forms there are. */
export function parseTarget(target: string): Target {
  const unix = /^unix:(?:\/\/(?=\/))?(.+)$/.exec(target);
  if (unix !== null) return { endpoint: { kind: "unix", path: unix[1]! }, authority: "localhost" };
  const rest = target.replace(/^(?:dns:(?:\/\/[^/]*\/)?|ipv4:|ipv6:)/, "");
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(rest);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) {
    throw new TypeError(`target ${JSON.stringify(target)} is not understood; it takes ${FORMS}`);
  }
  return { endpoint: { kind: "tcp", host: (match[1] ?? match[2])!, port }, authority: rest };
}
