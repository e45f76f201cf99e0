/**
 * Targets as users write them, and the address they name. Owns the grammar; opens nothing. gRPC naming; a scheme may be
 * written in any case (RFC 3986 §3.1).
 *
 *   host:port, dns:host:port, dns:///host:port    a name, resolved when a connection is made
 *   ipv4:1.2.3.4:port, ipv6:[::1]:port            an address
 *   unix:path, unix:///absolute/path              a Unix socket
 */
import { isIPv4, isIPv6 } from "node:net";
import { describeGiven } from "../rpc/option-names.ts";

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
  if (typeof target !== "string") {
    throw new TypeError(`new Channel(): ${describeGiven(target)} given as target; a string is allowed: ${FORMS}`);
  }
  const [, given = "dns:", rest = ""] = /^(dns:|ipv4:|ipv6:|unix:)?(.*)$/is.exec(target)!;
  const scheme = given.toLowerCase();
  if (scheme === "unix:") return parseUnix(target, rest);
  const address = scheme === "dns:" ? withoutDnsServer(target, rest) : rest;
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.~%-]+)?)\]|([\w.-]+)):(\d{1,5})$/.exec(address);
  if (match === null) throw refuse(target, hint(address));
  const port = Number(match[3]);
  if (port < 1 || port > 65_535) throw refuse(target, "a port is from 1 to 65535");
  const host = match[1] === undefined ? match[2]! : withPlainZone(match[1]);
  if (match[1] !== undefined && !isIPv6(host)) throw refuse(target, `${host} is no IPv6 address`);
  if (scheme === "ipv4:" && !isIPv4(host)) throw refuse(target, `${host} is no IPv4 address`);
  if (scheme === "ipv6:" && !isIPv6(host)) throw refuse(target, "an IPv6 address stands in brackets");
  // RFC 6874 §1: a zone means something on this machine only, so it is not sent.
  return { endpoint: { kind: "tcp", host, port }, authority: address.replace(/%[^\]]*/, "") };
}

/** RFC 6874 §2: in a URI the zone follows "%25", percent-encoded itself. People write a plain "%" too. */
function withPlainZone(address: string): string {
  return address.replace(/%25([\w.~%-]+)$/, (_, zone: string) => `%${decodePercents(zone)}`);
}

function decodePercents(text: string): string {
  return text.replace(/%([\da-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

function parseUnix(target: string, rest: string): Target {
  const match = /^(?:\/\/(\/.+)|(?!\/\/)(.+))$/s.exec(rest);
  const path = match?.[1] ?? match?.[2];
  if (path === undefined) throw refuse(target, "unix:// takes an absolute path, unix: any path");
  return { endpoint: { kind: "unix", path }, authority: "localhost" };
}

function withoutDnsServer(target: string, rest: string): string {
  const [, server, address = rest] = /^\/\/([^/]*)\/(.*)$/s.exec(rest) ?? [];
  if (server === undefined || server === "") return address;
  throw refuse(target, `names are resolved by the system: leave the DNS server ${JSON.stringify(server)} out`);
}

function hint(address: string): string {
  if (isIPv6(address) || /^[\da-f.]*:[\da-f.]*:[\da-f:.]*$/i.test(address))
    return "an IPv6 address stands in brackets, with a port behind it";
  if (/^(?:[\w.-]+|\[[^\]]*\])$/.test(address)) return "the port is missing";
  if (/[^\0-\x7f]/.test(address)) return "write an international name in its ASCII form (xn--…)";
  return /^https?:/.test(address) ? "leave the http: or https: out" : "its form is unknown";
}

function refuse(target: string, reason: string): TypeError {
  return new TypeError(`target ${JSON.stringify(target)} is not understood: ${reason}. It takes ${FORMS}`);
}
