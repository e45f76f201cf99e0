/** Which URLs are understood, and what is said of the others. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { StorageOpenError } from "./storage-error.ts";
import { parseStorageUrl } from "./storage-location.ts";

it("no URL, or an empty one, is a folder", () => {
  assert.deepEqual(parseStorageUrl(undefined), { kind: "folder", folder: ".data/users" });
  assert.deepEqual(parseStorageUrl("", "elsewhere"), { kind: "folder", folder: "elsewhere" });
});

it("a URL says which engine, and where", () => {
  assert.deepEqual(parseStorageUrl("memory://"), { kind: "memory" });
  assert.deepEqual(parseStorageUrl("file:///var/lib/users"), { kind: "folder", folder: "/var/lib/users" });
  for (const scheme of ["postgres", "postgresql", "POSTGRES"]) {
    const url = `${scheme}://me:hunter2@db.internal:6432/users?password=hunter2`;
    assert.deepEqual(parseStorageUrl(url), { kind: "postgres", url, label: "db.internal:6432/users" });
  }
  const socket = "postgres:///users?host=/run/postgresql";
  assert.deepEqual(parseStorageUrl(socket), { kind: "postgres", url: socket, label: "localhost:5432/users" });
});

it("any other URL is refused with what is allowed, and never repeated", () => {
  const wrong = [
    "mysql://me:hunter2@db/users",
    "memory://hunter2",
    "me:hunter2@db/users",
    "hunter2",
    "postgres:hunter2",
    "postgres://me:hunter2#@db:port/users",
    "file://hunter2/share",
  ];
  for (const url of wrong) {
    assert.throws(
      () => parseStorageUrl(url),
      (error) => {
        assert.ok(error instanceof StorageOpenError, url);
        assert.match(error.message, /allowed are postgres:\/\/.*memory:\/\/, file:\/\/\/folder/);
        return !error.message.includes("hunter2") && !error.message.includes("\n");
      },
    );
  }
});
