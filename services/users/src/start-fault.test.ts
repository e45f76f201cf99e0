import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError, readConfig } from "./config.ts";
import { startFaultLine } from "./start-fault.ts";
import { DataFolderLockedError, StorageOpenError } from "./storage/storage-error.ts";

const config = readConfig({ HOST: "192.0.2.1", GRPC_PORT: "80" });

function systemError(code: string): Error {
  return Object.assign(new Error("listen"), { code });
}

describe("a start that failed", () => {
  it("is told in the words of the environment and the storage", () => {
    assert.equal(startFaultLine(new ConfigError("GRPC_PORT must be …"), undefined), "GRPC_PORT must be …");
    assert.match(startFaultLine(new DataFolderLockedError("/data", 7), config) ?? "", /^data folder \/data is in use/);
  });

  it("names DATABASE_URL when that led to the storage", () => {
    const withUrl = readConfig({ DATABASE_URL: "postgres://u:CANARY@db/x" });
    assert.equal(startFaultLine(new StorageOpenError("no answer"), withUrl), "DATABASE_URL: no answer");
  });

  it("names the variable for what the system refuses", () => {
    assert.match(startFaultLine(systemError("EADDRINUSE"), config) ?? "", /^GRPC_PORT 80 on 192\.0\.2\.1 is taken/);
    assert.match(startFaultLine(systemError("EACCES"), config) ?? "", /^GRPC_PORT 80 .* not permitted/);
    assert.match(startFaultLine(systemError("EADDRNOTAVAIL"), config) ?? "", /^HOST 192\.0\.2\.1 is not an address/);
    assert.match(startFaultLine(systemError("ENOTFOUND"), config) ?? "", /^HOST 192\.0\.2\.1 cannot be resolved/);
  });

  it("keeps its stack when nobody foresaw it", () => {
    assert.equal(startFaultLine(new TypeError("bug"), config), undefined);
    assert.equal(startFaultLine(systemError("EADDRINUSE"), undefined), undefined);
    assert.equal(startFaultLine("thrown text", config), undefined);
  });
});
