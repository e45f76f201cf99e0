import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Listener, type ListenOptions } from "./listener.ts";

const open = (options: ListenOptions): Promise<Listener> =>
  Listener.open(options, {
    onSocket: (socket) => socket.destroy(),
    onError: (error) => assert.fail(error),
    admit: () => true,
  });

test("a free port is taken and told", async () => {
  const listener = await open({ port: 0, host: "127.0.0.1" });
  assert.ok(listener.address.port > 0);
  assert.equal(listener.address.host, "127.0.0.1");
  await listener.close();
});

test("a port in use is an error that names the address, the reason and what to do, with Node's code", async () => {
  const first = await open({ port: 0, host: "127.0.0.1" });
  const { port } = first.address;
  await assert.rejects(open({ port, host: "127.0.0.1" }), (error: NodeJS.ErrnoException) => {
    assert.equal(error.code, "EADDRINUSE");
    assert.equal(
      error.message,
      `cannot listen on 127.0.0.1:${port}: something listens there already; stop it, or choose another (port 0 takes a free one) (EADDRINUSE)`,
    );
    assert.equal((error.cause as NodeJS.ErrnoException).code, "EADDRINUSE");
    return true;
  });
  await first.close();
});

test("an address that this machine does not have is an error that says so", async () => {
  await assert.rejects(
    open({ host: "192.0.2.1" }),
    /cannot listen on 192\.0\.2\.1:0: this machine has no such address/,
  );
});

test("a Unix socket is listened on and removed at the end; a file in its place is an error that says so", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "volant-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "s");
  const listener = await open({ path });
  assert.deepEqual(listener.address, { port: 0, host: "", path });
  await assert.rejects(open({ path }), /cannot listen on unix:.*: the file exists; remove it if no process uses it/);
  await listener.close();
  await writeFile(path, "");
  await assert.rejects(open({ path }), /EADDRINUSE/);
});

for (const [options, text] of [
  [{ port: -1 }, /port: -1 given, an integer from 0 to 65535 is allowed/],
  [{ port: 65_536 }, /port: 65536 given/],
  [{ port: "80" as unknown as number }, /port: the string "80" given/],
  [{ path: "/tmp/x", port: 5 }, /path was given together with port or host/],
  [{ path: "" }, /path: the string "" given; it takes the file name of a Unix socket/],
] as const) {
  test(`illegal options are refused before anything is opened: ${JSON.stringify(options)}`, async () => {
    await assert.rejects(open(options), text);
  });
}
