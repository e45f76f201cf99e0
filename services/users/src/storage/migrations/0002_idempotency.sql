-- One row for every request id that created a user, kept when the user is deleted: a late retry must not create it
-- again. The row holds no personal data; the answer is rebuilt from the repeated request, whose hash proves it equal.
CREATE TABLE idempotency (
  request_id text COLLATE "C" PRIMARY KEY,
  request_hash text NOT NULL,
  user_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
