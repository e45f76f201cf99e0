/** The embedded database in a folder: what survives, who may open it, and what is said when it cannot be. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { openStorage } from "../../src/storage/open-storage.ts";
import { DataFolderLockedError, StorageOpenError, StorageUnavailableError } from "../../src/storage/storage-error.ts";
import { createdUser, newUser } from "./contract.ts";

const HOLDER = fileURLToPath(new URL("./folder-holder.ts", import.meta.url));

describe("data folder", () => {
  const root = mkdtempSync(join(tmpdir(), "users-folder-"));
  after(() => rmSync(root, { recursive: true, force: true }));

  it("is made with its parents, keeps what was written, and is free again after close", async () => {
    const dataDir = join(root, "deep", "er", "users");
    const first = await openStorage({ dataDir });
    const user = createdUser(await first.users.create(newUser("kept@x.io", { requestId: "r" })));
    await first.messages.append("room", "s", "said");
    const finding = first.users.find(user.id);
    await Promise.all([first.close(), first.close()]);
    assert.deepEqual(await finding, user);
    await assert.rejects(first.users.find(user.id), StorageUnavailableError);
    await assert.rejects(first.ping(), StorageUnavailableError);
    assert.deepEqual(readdirSync(dataDir), ["cluster"]);

    const lines: string[] = [];
    const second = await openStorage({ url: pathToFileURL(dataDir).href, log: (line) => lines.push(line) });
    assert.deepEqual(lines, [
      `starting the embedded database in ${dataDir}: it was made before`,
      "the embedded database is ready",
    ]);
    assert.deepEqual(await second.users.find(user.id), user);
    assert.equal((await second.messages.append("room", "s", "more")).sequence, 2n);
    await second.close();
  });

  it("is free after a close that had no time left for what ran and waited, and keeps what was acknowledged", async () => {
    const dataDir = join(root, "broken-off");
    const storage = await openStorage({ dataDir });
    const user = createdUser(await storage.users.create(newUser("kept@x.io")));
    const endless = storage.database.query("SELECT pg_sleep(3600)::text");
    const waiting = Array.from({ length: 50 }, (_, n) => storage.users.create(newUser(`${n}@waits.io`)));
    const refused = Promise.allSettled([endless, ...waiting]);
    await storage.close(0);
    for (const result of await refused) {
      assert.ok(result.status === "rejected" && result.reason instanceof StorageUnavailableError);
    }
    const again = await openStorage({ dataDir });
    assert.deepEqual(await again.users.find(user.id), user);
    assert.equal(await again.users.count("waits.io"), 0);
    await again.close();
  });

  it("is refused to a second process by pid, and taken over with its data once the holder was killed", async () => {
    const dataDir = join(root, "held");
    const holder = spawn(process.execPath, [HOLDER, dataDir], { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(holder, "exit");
    const [userId] = (await once(createInterface({ input: holder.stdout }), "line")) as [string];
    await assert.rejects(openStorage({ dataDir }), (error) => {
      assert.ok(error instanceof DataFolderLockedError && error instanceof StorageOpenError);
      assert.deepEqual([error.pid, error.path], [holder.pid, dataDir]);
      return error.message.includes(`${dataDir} is in use by process ${holder.pid}`) && !error.message.includes("\n");
    });
    holder.kill("SIGKILL");
    await exited;
    assert.ok(existsSync(join(dataDir, "lock")));

    const lines: string[] = [];
    const storage = await openStorage({ dataDir, log: (line) => lines.push(line) });
    assert.match(lines.join("\n"), new RegExp(`took over the lock that process ${holder.pid} left behind`));
    assert.equal((await storage.users.find(userId))?.email, "held@x.io");
    await assert.rejects(openStorage({ dataDir }), (error) => {
      return error instanceof DataFolderLockedError && error.pid === process.pid;
    });
    await storage.close();
  });

  it("a first start that was cut short does not stand in the way of the next", async () => {
    const dataDir = join(root, "cut-short");
    mkdirSync(join(dataDir, "cluster.new", "base"), { recursive: true });
    writeFileSync(join(dataDir, "cluster.new", "PG_VERSION"), "18");
    const storage = await openStorage({ dataDir });
    await storage.ping();
    await storage.close();
    assert.deepEqual(readdirSync(dataDir), ["cluster"]);
  });

  it("a cluster that cannot be read is an error of one line, is left alone, and frees the lock", async () => {
    const dataDir = join(root, "broken");
    mkdirSync(join(dataDir, "cluster"), { recursive: true });
    writeFileSync(join(dataDir, "cluster", "PG_VERSION"), "9.6\n");
    await assert.rejects(openStorage({ dataDir }), isOpenError(/could not start on .*broken/));
    assert.deepEqual(readdirSync(dataDir), ["cluster"]);
    assert.ok(existsSync(join(dataDir, "cluster", "PG_VERSION")));
  });

  it("a file in its place, or in its path, is said so", async () => {
    const file = join(root, "file");
    writeFileSync(file, "not a folder");
    await assert.rejects(openStorage({ dataDir: file }), isOpenError(/file cannot be used: a file is in its place$/));
    await assert.rejects(openStorage({ dataDir: join(file, "below") }), isOpenError(/a part of its path is a file$/));
  });

  it("a folder that cannot be written is said so", {
    skip: process.getuid?.() === 0 && "root may write anywhere",
  }, async () => {
    const dataDir = join(root, "read-only");
    mkdirSync(dataDir, { mode: 0o500 });
    await assert.rejects(openStorage({ dataDir }), isOpenError(/no permission to read and write it$/));
  });
});

function isOpenError(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StorageOpenError, String(error));
    assert.match(error.message, message);
    assert.equal(error.message.includes("\n"), false);
    return true;
  };
}
