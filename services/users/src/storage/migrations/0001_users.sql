-- Users. Orders that lists page through have an index each, with the id as the tie-break; COLLATE "C" makes the order
-- the same on every engine and locale, and the index match its ORDER BY.
CREATE TABLE users (
  id text COLLATE "C" PRIMARY KEY,
  email text NOT NULL,
  name text NOT NULL,
  roles text[] NOT NULL,
  metadata jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1
);

CREATE UNIQUE INDEX users_email_unique ON users (lower(email) COLLATE "C");
CREATE INDEX users_by_created_at ON users (created_at, id);
CREATE INDEX users_by_updated_at ON users (updated_at, id);
CREATE INDEX users_by_name ON users (name COLLATE "C", id);
CREATE INDEX users_by_email ON users (email COLLATE "C", id);
