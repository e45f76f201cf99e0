/**
 * The log of chat rooms in SQL. Owns appending, numbering and replaying; knows no engine, no sockets and no rooms in
 * memory.
 *
 * Invariant: a room's counter row is locked by the statement that appends, so its sequences have no gap and no double
 * across processes, and their times never run backwards within one clock.
 */
import type { Database } from "./database.ts";
import { SERVICE } from "./requester.ts";
import { assertIndexedText, assertStorableText, isStorableText } from "./storable.ts";
import { microsOf } from "./user-rows.ts";
import type { MessageStore, ReadLimits, StoredMessage } from "./user-store.ts";

interface MessageRow {
  readonly room_id: string;
  readonly sequence: string;
  readonly sender_id: string;
  readonly content: string;
  readonly sent_micros: string;
}

const COLUMNS = `room_id, sequence::text AS sequence, sender_id, content, ${microsOf("sent_at")} AS sent_micros`;

// clock_timestamp() and not now(): the time is taken when the lock was granted, not when waiting for it began.
const APPEND = `WITH counter AS (
    INSERT INTO chat_rooms (room_id, last_sequence) VALUES ($1, 1)
    ON CONFLICT (room_id) DO UPDATE SET last_sequence = chat_rooms.last_sequence + 1
    RETURNING last_sequence
  )
  INSERT INTO chat_messages (room_id, sequence, sender_id, content, sent_at)
  SELECT $1, last_sequence, $2, $3, clock_timestamp() FROM counter RETURNING ${COLUMNS}`;

// The sizes are known to the database alone, so it is what keeps to the bytes; lengths are read without the contents.
const READ_AFTER = `SELECT ${COLUMNS}
  FROM (
    SELECT page.*, sum(bytes) OVER (ORDER BY page.sequence ROWS UNBOUNDED PRECEDING) - bytes AS bytes_before
    FROM (
      SELECT chat_messages.*, octet_length(content) AS bytes
      FROM chat_messages WHERE room_id = $1 AND chat_messages.sequence > $2::bigint
      ORDER BY chat_messages.sequence LIMIT $3::int
    ) AS page
  ) AS measured
  WHERE bytes_before = 0 OR bytes_before + bytes <= $4::int ORDER BY measured.sequence`;

const LAST_SEQUENCE = "SELECT last_sequence::text AS sequence FROM chat_rooms WHERE room_id = $1";

export class SqlMessageStore implements MessageStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async append(roomId: string, senderId: string, content: string, requester = SERVICE): Promise<StoredMessage> {
    assertIndexedText("room_id", roomId);
    assertStorableText("user_id", senderId);
    assertStorableText("content", content);
    const [row] = await this.#database.write<MessageRow>(APPEND, [roomId, senderId, content], requester);
    if (row === undefined) throw new Error("an INSERT … RETURNING gave no row");
    return toMessage(row);
  }

  async readAfter(
    roomId: string,
    after: bigint,
    { messages, bytes }: ReadLimits,
    requester = SERVICE,
  ): Promise<StoredMessage[]> {
    if (!isStorableText(roomId)) return [];
    const params = [roomId, clampToBigint(after), messages, bytes];
    return (await this.#database.query<MessageRow>(READ_AFTER, params, requester)).map(toMessage);
  }

  async lastSequence(roomId: string, requester = SERVICE): Promise<bigint> {
    if (!isStorableText(roomId)) return 0n;
    const [row] = await this.#database.lookup<{ sequence: string }>(LAST_SEQUENCE, [roomId], requester);
    return BigInt(row?.sequence ?? 0);
  }
}

/** A uint64 on the wire reaches beyond Postgres' bigint; nothing is numbered up there. */
function clampToBigint(sequence: bigint): string {
  const max = 2n ** 63n - 1n;
  return String(sequence > max ? max : sequence);
}

function toMessage(row: MessageRow): StoredMessage {
  return {
    roomId: row.room_id,
    sequence: BigInt(row.sequence),
    senderId: row.sender_id,
    content: row.content,
    sentAtMicros: BigInt(row.sent_micros),
  };
}
