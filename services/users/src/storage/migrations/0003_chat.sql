-- The log of every room. The counter row is what makes sequences increase by one across processes: appending locks it.
CREATE TABLE chat_rooms (
  room_id text COLLATE "C" PRIMARY KEY,
  last_sequence bigint NOT NULL
);

CREATE TABLE chat_messages (
  room_id text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  sender_id text NOT NULL,
  content text NOT NULL,
  sent_at timestamptz NOT NULL,
  PRIMARY KEY (room_id, sequence)
);
