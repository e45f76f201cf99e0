/**
 * Users to play with in a new development database. Owns their content; ids `123` and `alice` are what documentation
 * and first commands use. Knows no engine.
 *
 * Invariant: a database that has any user is left alone, and two processes that start together add them once.
 */
import type { SqlStorage } from "./open-storage.ts";

interface SampleUser {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Oldest first. */
export const SAMPLE_USERS: readonly SampleUser[] = [
  { id: "123", email: "john.doe@example.com", name: "John Doe", roles: ["user"], metadata: { team: "sales" } },
  {
    id: "alice",
    email: "alice@example.com",
    name: "Alice Adams",
    roles: ["admin", "user"],
    metadata: { team: "core" },
  },
  { id: "bob", email: "bob@example.com", name: "Bob Brown", roles: ["user"], metadata: { team: "core" } },
  { id: "carol", email: "carol@example.com", name: "Carol Clark", roles: ["user"], metadata: { locale: "de" } },
  { id: "dave", email: "dave@example.com", name: "Dave Évrard", roles: ["auditor"], metadata: {} },
  { id: "erin", email: "erin@example.com", name: "Erin O'Neill", roles: [], metadata: { locale: "ga" } },
];

// A minute apart, so that orders by time are told apart from orders by id.
const INSERT = `INSERT INTO users (id, email, name, roles, metadata, created_at, updated_at)
  SELECT id, email, name, roles, metadata, created_at, created_at
  FROM jsonb_to_recordset($1::text::jsonb)
    AS sample (age int, id text, email text, name text, roles text[], metadata jsonb)
  CROSS JOIN LATERAL (SELECT now() - age * interval '1 minute' AS created_at) AS times
  WHERE NOT EXISTS (SELECT 1 FROM users)
  ON CONFLICT DO NOTHING RETURNING id`;

/** Returns how many users were added: none unless the database is empty. */
export async function seedSampleUsers(storage: SqlStorage): Promise<number> {
  const samples = SAMPLE_USERS.map((sample, index) => ({ ...sample, age: SAMPLE_USERS.length - index }));
  return (await storage.database.write(INSERT, [JSON.stringify(samples)])).length;
}
