import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError, OPTIONS, type OptionName, readConfig } from "./config.ts";

function faultOf(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  return assert.fail("the environment was accepted");
}

describe("the environment", () => {
  it("may be empty: every option has a default or may be unset", () => {
    const config = readConfig({});
    assert.equal(config.HOST, "0.0.0.0");
    assert.equal(config.GRPC_PORT, 50_051);
    assert.equal(config.MAX_RECEIVE_MESSAGE_BYTES, 4_194_304);
    assert.equal(config.SHUTDOWN_GRACE_MS, 20_000);
    assert.equal(config.DATABASE_URL, undefined);
    assert.equal(config.PAGE_TOKEN_SECRET, undefined);
    assert.equal(config.MAX_CONNECTION_AGE_MS, undefined);
    assert.equal(config.KEEPALIVE_TIME_MS, 7_200_000);
    assert.equal(config.KEEPALIVE_MIN_TIME_MS, 300_000);
    assert.equal(config.KEEPALIVE_PERMIT_WITHOUT_CALLS, "off");
    assert.equal(config.REFLECTION, "on");
    assert.equal(config.TLS_CERT_FILE, undefined);
  });

  it("gives each value its type", () => {
    const config = readConfig({
      HOST: "::1",
      GRPC_PORT: "0",
      DATABASE_URL: "postgres://me:secret@db/users",
      LOG_LEVEL: "debug",
      PAGE_TOKEN_SECRET: "0123456789abcdef",
    });
    assert.equal(config.HOST, "::1");
    assert.equal(config.GRPC_PORT, 0);
    assert.equal(config.DATABASE_URL, "postgres://me:secret@db/users");
    assert.equal(config.LOG_LEVEL, "debug");
  });

  it("counts an empty variable as not set", () => {
    assert.equal(readConfig({ GRPC_PORT: "", DATABASE_URL: "" }).GRPC_PORT, 50_051);
  });

  it("names the variable, what was given and what is allowed", () => {
    assert.equal(
      faultOf({ GRPC_PORT: "http" }),
      'GRPC_PORT must be an integer from 0 to 65535 (0 picks a free port), not "http"',
    );
    assert.equal(
      faultOf({ LOG_LEVEL: "loud" }),
      'LOG_LEVEL must be one of silent, error, warn, info, debug, not "loud"',
    );
    assert.equal(faultOf({ HOST: "a b" }), 'HOST must be a host name or an IP address, not "a b"');
  });

  it("refuses numbers that only look like integers", () => {
    for (const given of ["0x10", "1e3", " 7", "7.5", "-1", "65536", "99999999999999", "+1", "١"]) {
      assert.match(faultOf({ GRPC_PORT: given }), /^GRPC_PORT must be an integer/, given);
    }
  });

  it("accepts the bounds of every integer and nothing beyond them", () => {
    for (const [name, option] of Object.entries(OPTIONS)) {
      if (option.kind !== "integer") continue;
      assert.equal(readConfig({ [name]: String(option.min) })[name as OptionName], option.min);
      assert.equal(readConfig({ [name]: String(option.max) })[name as OptionName], option.max);
      assert.match(faultOf({ [name]: String(option.max + 1) }), new RegExp(`^${name} `));
      if (option.min > 0) assert.match(faultOf({ [name]: String(option.min - 1) }), new RegExp(`^${name} `));
    }
  });

  it("takes a certificate with its key only, and CAs of clients with both", () => {
    assert.equal(faultOf({ TLS_CERT_FILE: "c.pem" }), "TLS_KEY_FILE must be set where TLS_CERT_FILE is");
    assert.equal(faultOf({ TLS_KEY_FILE: "k.pem" }), "TLS_CERT_FILE must be set where TLS_KEY_FILE is");
    assert.equal(
      faultOf({ TLS_CA_FILE: "ca.pem" }),
      "TLS_CERT_FILE must be set where TLS_CA_FILE is; TLS_KEY_FILE must be set where TLS_CA_FILE is",
    );
    const files = { TLS_CERT_FILE: "c.pem", TLS_KEY_FILE: "k.pem", TLS_CA_FILE: "ca.pem" };
    assert.equal(readConfig(files).TLS_CA_FILE, "ca.pem");
  });

  it("never shows a secret", () => {
    const line = faultOf({ PAGE_TOKEN_SECRET: "CANARY-short", DATABASE_URL: "mysql://root:CANARY-password@db/x" });
    assert.doesNotMatch(line, /CANARY/);
    assert.match(
      line,
      /PAGE_TOKEN_SECRET must be 16 characters or more, not what was given \(12 characters, not shown\)/,
    );
    assert.match(line, /DATABASE_URL must be postgres:/);
  });

  it("tells every wrong variable in one line, however long the values", () => {
    const line = faultOf({ GRPC_PORT: "x\ny", LOG_LEVEL: "z".repeat(10_000) });
    assert.equal(line.split("\n").length, 1);
    assert.ok(line.length < 400);
    assert.match(line, /GRPC_PORT.*; LOG_LEVEL/);
  });
});
