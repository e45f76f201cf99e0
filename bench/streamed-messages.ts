// Owns: the messages of the client-streaming and bidi-streaming scenarios, and what handlers of every stack do with them.
// Invariant: each has 145 octets, as the answers of the other scenarios have.

/** What is sent again and again to CreateUserStream. */
export const UPLOADED_USER = {
  email: "user-00042@example.com",
  name: "Augusta Ada King, Countess of Lovelace, first of all programmers of machines",
  roles: ["admin", "user"],
  metadata: { team: "engines", plan: "pro" },
};

/**
 * Messages of one upload. The number of them that arrived is the answer, as a varint: of one less the answer would be an octet
 * shorter, which the load generator sees.
 */
export const UPLOADED_COUNT = 2 ** 14;

interface UploadedUser {
  readonly email: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Looks at every field, so that nobody saves the work of reading one. */
export function isUploadedUser({ email, name, roles, metadata }: UploadedUser): boolean {
  const { roles: wanted, metadata: known } = UPLOADED_USER;
  const isSame = email === UPLOADED_USER.email && name === UPLOADED_USER.name && roles.length === wanted.length;
  return isSame && metadata.team === known.team && metadata.plan === known.plan;
}

export interface ChatFields<Timestamp> {
  readonly userId: string;
  readonly content: string;
  readonly timestamp?: Timestamp | null;
  readonly roomId: string;
}

/** What UserChat answers: a new message with what the one that came had. */
export function echoChat<Timestamp>({ userId, content, timestamp, roomId }: ChatFields<Timestamp>) {
  return { userId, content, ...(timestamp && { timestamp }), roomId };
}

const SENT_AT = 1_763_800_000;
const NANOS = 1_000_000;
export const COUNTER_DIGITS = 9;

/** Message `counter` of one stream; of any two the texts differ, and nothing else. */
export function createChatMessage<Seconds>(stream: number, counter: number, seconds: (value: number) => Seconds) {
  return {
    userId: "user-00042",
    content: `stream ${String(stream).padStart(3, "0")}: ${formatCounter(counter)} ${"to and fro, ".repeat(7)}done`,
    timestamp: { seconds: seconds(SENT_AT), nanos: NANOS },
    roomId: "engines",
  };
}

export function formatCounter(counter: number): string {
  return String(counter).padStart(COUNTER_DIGITS, "0");
}
