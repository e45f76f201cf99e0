/**
 * Brings the schema up to date. Owns the numbered files in `migrations/` and the table `schema_migrations`; knows no
 * engine and nothing of the tables it makes.
 *
 * Invariant: everything pending is applied in one transaction under one advisory lock, so replicas that start together
 * apply each file once, and a failure leaves the schema as it was. A file that was applied never changes.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { Database, Transaction } from "./database.ts";
import { StorageOpenError } from "./storage-error.ts";

/** Beside this module in the sources and in the build alike. */
const MIGRATIONS = new URL("./migrations/", import.meta.url);
const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/;
/** Any constant will do, as long as every version of the service uses it ("volant" in ASCII). */
const ADVISORY_LOCK = "130284193771124";

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

interface AppliedRow {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

/** Reads the migrations in order. Numbers start at 1 and leave no gap. */
export async function loadMigrations(folder: URL = MIGRATIONS): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  return Promise.all(
    names.map(async (name, index) => {
      const version = Number(FILE_NAME.exec(name)?.[1]);
      if (version !== index + 1) {
        throw new StorageOpenError(`migration ${name} must be named ${String(index + 1).padStart(4, "0")}_<words>.sql`);
      }
      const sql = (await readFile(new URL(name, folder), "utf8")).replaceAll("\r\n", "\n");
      return { version, name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}

/** Applies what is pending and returns the names of what it applied. */
export async function migrate(database: Database, migrations: readonly Migration[]): Promise<string[]> {
  return database.transaction(async (transaction) => {
    // Waiting for another replica's migration is the purpose here, so the limits of ordinary statements are lifted.
    await transaction.script("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0");
    await transaction.script(`SELECT pg_advisory_xact_lock(${ADVISORY_LOCK})`);
    const applied = await readApplied(transaction);
    const pending = migrations.filter((migration) => !isApplied(migration, applied));
    for (const { version, name, sql, checksum } of pending) {
      await transaction.script(sql);
      await transaction.query("INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)", [
        version,
        name,
        checksum,
      ]);
    }
    return pending.map(({ name }) => name);
  });
}

async function readApplied(transaction: Transaction): Promise<Map<number, AppliedRow>> {
  // IF NOT EXISTS alone would print a notice on every start.
  const [existing] = await transaction.query<{ found: boolean }>(
    "SELECT to_regclass('schema_migrations') IS NOT NULL AS found",
  );
  if (existing?.found !== true) {
    await transaction.script(`
      CREATE TABLE schema_migrations (
        version int PRIMARY KEY,
        name text NOT NULL,
        checksum text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
      )`);
  }
  const rows = await transaction.query<AppliedRow>("SELECT version, name, checksum FROM schema_migrations");
  return new Map(rows.map((row) => [row.version, row]));
}

function isApplied(migration: Migration, applied: ReadonlyMap<number, AppliedRow>): boolean {
  const row = applied.get(migration.version);
  if (row === undefined) return false;
  if (row.name === migration.name && row.checksum === migration.checksum) return true;
  throw new StorageOpenError(
    `migration ${migration.name} differs from ${row.name} that this database was made with: ` +
      "restore the file and put the change in a new migration",
  );
}
