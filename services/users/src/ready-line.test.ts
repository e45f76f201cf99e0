import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dialableAddress, firstCommand, readyLine } from "./ready-line.ts";

describe("the ready line", () => {
  it("is ready, the address, and facts as key=value", () => {
    assert.equal(readyLine("127.0.0.1:50051", { database: "pglite" }), "ready grpc=127.0.0.1:50051 database=pglite");
  });

  it("prints an address that one can dial", () => {
    assert.equal(dialableAddress("0.0.0.0", 1), "127.0.0.1:1");
    assert.equal(dialableAddress("::", 1), "[::1]:1");
    assert.equal(dialableAddress("fe80::1", 1), "[fe80::1]:1");
    assert.equal(dialableAddress("users.internal", 1), "users.internal:1");
  });

  it("is followed by a command with that address", () => {
    assert.equal(
      firstCommand("127.0.0.1:7", { hasReflection: true, tls: undefined }),
      `try: npx buf curl --protocol grpc --http2-prior-knowledge -d '{"userId":"123"}' http://127.0.0.1:7/user.UserService/GetUser`,
    );
  });

  it("names the schema where tools cannot ask for it, and what TLS asks of them", () => {
    const command = (tls: string | undefined): string => firstCommand("h:7", { hasReflection: false, tls });
    assert.match(command(undefined), / --http2-prior-knowledge --schema proto -d /);
    assert.match(command("on"), / --insecure --schema proto -d .* https:\/\/h:7\//);
    assert.match(command("mutual"), / --insecure --cert client\.crt --key client\.key --schema proto -d /);
  });
});
