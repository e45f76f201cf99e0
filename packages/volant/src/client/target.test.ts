import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTarget } from "./target.ts";

test("targets and the address and authority they name", () => {
  const tcp = (host: string, port: number) => ({ kind: "tcp", host, port });
  const unix = (path: string) => ({ kind: "unix", path });
  const cases: [string, object, string][] = [
    ["users.svc:50051", tcp("users.svc", 50051), "users.svc:50051"],
    ["dns:users.svc:50051", tcp("users.svc", 50051), "users.svc:50051"],
    ["dns:///users.svc.cluster.local:1", tcp("users.svc.cluster.local", 1), "users.svc.cluster.local:1"],
    ["ipv4:10.0.0.1:65535", tcp("10.0.0.1", 65535), "10.0.0.1:65535"],
    ["10.0.0.1:80", tcp("10.0.0.1", 80), "10.0.0.1:80"],
    ["ipv6:[::1]:50051", tcp("::1", 50051), "[::1]:50051"],
    ["[2001:db8::7]:443", tcp("2001:db8::7", 443), "[2001:db8::7]:443"],
    ["[fe80::1%eth0]:443", tcp("fe80::1%eth0", 443), "[fe80::1]:443"],
    ["[fe80::1%25eth0]:50051", tcp("fe80::1%eth0", 50051), "[fe80::1]:50051"],
    ["dns:///[fe80::1%25eth0.7]:1", tcp("fe80::1%eth0.7", 1), "[fe80::1]:1"],
    ["ipv6:[fe80::1%25en%31]:1", tcp("fe80::1%en1", 1), "[fe80::1]:1"],
    ["[fe80::1%2525]:1", tcp("fe80::1%25", 1), "[fe80::1]:1"],
    ["[fe80::1%25]:1", tcp("fe80::1%25", 1), "[fe80::1]:1"],
    ["DNS:///users.svc:1", tcp("users.svc", 1), "users.svc:1"],
    ["IPv4:10.0.0.1:1", tcp("10.0.0.1", 1), "10.0.0.1:1"],
    ["IPV6:[::1]:1", tcp("::1", 1), "[::1]:1"],
    ["Unix:///run/Users.sock", unix("/run/Users.sock"), "localhost"],
    ["UNIX:Relative/socket", unix("Relative/socket"), "localhost"],
    ["unix:relative/socket", unix("relative/socket"), "localhost"],
    ["unix:/run/users.sock", unix("/run/users.sock"), "localhost"],
    ["unix:///run/users.sock", unix("/run/users.sock"), "localhost"],
  ];
  for (const [target, endpoint, authority] of cases)
    assert.deepEqual(parseTarget(target), { endpoint, authority }, target);
});

test("what is no target is refused with what was given and what to do", () => {
  const cases: [string, RegExp][] = [
    ["", /is not understood/],
    ["users.svc", /the port is missing/],
    ["dns:///users.svc", /the port is missing/],
    ["users.svc:0", /from 1 to 65535/],
    ["users.svc:65536", /from 1 to 65535/],
    ["users.svc:http", /its form is unknown/],
    ["::1:50051", /in brackets/],
    ["::1", /in brackets/],
    ["ipv6:::1:50051", /in brackets/],
    ["ipv6:localhost:1", /an IPv6 address stands in brackets/],
    ["ipv4:users.svc:1", /users\.svc is no IPv4 address/],
    ["[1.2.3.4]:1", /no IPv6 address/],
    ["https://users.svc:443", /leave the http: or https: out/],
    ["dns://8.8.8.8/users.svc:1", /leave the DNS server "8\.8\.8\.8" out/],
    ["b\u00fccher.example:1", /ASCII form/],
    ["a b:1", /its form is unknown/],
    ["a:1\r\nx: y", /its form is unknown/],
    ["unix:", /takes an absolute path/],
    ["unix://run/users.sock", /takes an absolute path/],
  ];
  for (const [target, reason] of cases) {
    const given = JSON.stringify(target).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    assert.throws(() => parseTarget(target), { name: "TypeError", message: reason }, target);
    assert.throws(() => parseTarget(target), new RegExp(`target ${given} .*unix:///path`), target);
  }
  assert.throws(() => parseTarget(undefined as never), /undefined given as target; a string is allowed: host:port/);
});
