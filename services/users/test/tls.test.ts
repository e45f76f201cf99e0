/** The service with certificates from files: who gets in, and what an operator is told of a wrong file. */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { Channel, createClient, StatusCode } from "volant";
import { Authority } from "../../../packages/volant/test/tls/support/certificates.ts";
import { ConfigError, readConfig } from "../src/config.ts";
import { UserService } from "../src/gen/user_pb.ts";
import { loadTls } from "../src/tls-files.ts";
import { fault } from "./support/rpc-faults.ts";
import { ServiceProcess, temporaryFolder } from "./support/service-process.ts";

const authority = new Authority();
const server = authority.issue();
const client = authority.issue({ commonName: "orders" });

function folder(t: TestContext): string {
  const { path, remove } = temporaryFolder();
  t.after(remove);
  return path;
}

function write(t: TestContext, content: string): string {
  const file = join(folder(t), "file.pem");
  writeFileSync(file, content);
  return file;
}

async function refusal(env: Readonly<Record<string, string>>): Promise<string> {
  try {
    await loadTls(readConfig(env), (error) => assert.fail(String(error)));
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  return assert.fail("the files were accepted");
}

describe("the service with TLS", () => {
  it("serves clients that trust it, over TLS only; with CAs of clients, those with a certificate only", async (t) => {
    const env = {
      DATABASE_URL: "memory://",
      TLS_CERT_FILE: write(t, server.cert),
      TLS_KEY_FILE: write(t, server.key),
      TLS_CA_FILE: write(t, authority.cert),
    };
    const service = ServiceProcess.start(folder(t), env);
    t.after(() => service.dispose());
    const address = await service.ready();
    assert.match(service.stdout, /^ready grpc=\S+ database=pglite tls=mutual\n/);
    const callWith = async (tls: object | undefined): Promise<string | undefined> => {
      const channel = new Channel(address, tls && { tls });
      try {
        return (await createClient(UserService, channel).getUser({ userId: "123" })).user?.id;
      } finally {
        await channel.close();
      }
    };
    assert.equal(await callWith({ ca: authority.cert, ...client }), "123");
    for (const tls of [undefined, { ca: authority.cert }, { ca: new Authority().cert, ...client }]) {
      await assert.rejects(callWith(tls), fault({ code: StatusCode.UNAVAILABLE }));
    }
    assert.deepEqual(await service.stop(), { code: 0, signal: null });
  });

  it("does not start with a file that is not there", async (t) => {
    const env = { TLS_CERT_FILE: join(folder(t), "none.pem"), TLS_KEY_FILE: write(t, server.key) };
    const service = ServiceProcess.start(folder(t), env);
    t.after(() => service.dispose());
    assert.deepEqual(await service.exited, { code: 1, signal: null });
    assert.match(service.stderr, /^TLS_CERT_FILE: ".*none\.pem" cannot be read: there is no such file\n$/);
  });

  it("is not there without files", async () => {
    assert.equal(await loadTls(readConfig({}), () => undefined), undefined);
  });

  it("names the variable whose file is wrong, and shows no key", async (t) => {
    const files = { TLS_CERT_FILE: write(t, server.cert), TLS_KEY_FILE: write(t, server.key) };
    const folderName = join(folder(t), "folder");
    mkdirSync(folderName);
    assert.match(await refusal({ ...files, TLS_CERT_FILE: folderName }), /^TLS_CERT_FILE: .* it is a folder$/);
    assert.match(
      await refusal({ ...files, TLS_CERT_FILE: write(t, "CANARY") }),
      /^TLS_CERT_FILE: there is no certificate/,
    );
    const wrongKey = await refusal({ ...files, TLS_KEY_FILE: write(t, client.key) });
    assert.equal(wrongKey, "TLS_KEY_FILE: it does not belong to the certificate in TLS_CERT_FILE");
    assert.match(await refusal({ ...files, TLS_CA_FILE: write(t, "") }), /^TLS_CA_FILE: there is no certificate/);
  });

  it("asks clients for a certificate only where it was given their CAs", async (t) => {
    const files = { TLS_CERT_FILE: write(t, server.cert), TLS_KEY_FILE: write(t, server.key) };
    const plain = await loadTls(readConfig(files), () => undefined);
    assert.equal(plain?.requestClientCert, "none");
    plain?.credentials?.close();
    const mutual = await loadTls(readConfig({ ...files, TLS_CA_FILE: write(t, authority.cert) }), () => undefined);
    assert.equal(mutual?.requestClientCert, "require");
    mutual?.credentials?.close();
  });
});
