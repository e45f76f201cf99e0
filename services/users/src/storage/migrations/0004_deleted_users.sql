-- Ids that were users': what keeps a deleted user out of chat in every replica and after a restart. Ids alone, no personal
-- data; they are never given again, so the table only grows, by one small row for each deletion.
CREATE TABLE deleted_users (
  id text COLLATE "C" PRIMARY KEY,
  deleted_at timestamptz NOT NULL DEFAULT now()
);
