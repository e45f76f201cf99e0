/**
 * The limits of what a caller may store or ask for. Owns the numbers and nothing else; the modules that check them say
 * so in their messages. Without them one caller could fill the database, or an answer, with a single call.
 *
 * "Chars" are Unicode code points, as Postgres counts them; "bytes" are bytes of UTF-8.
 */

export const LIMITS = {
  /**
   * Values that a request may decode to: roles, entries of metadata, paths of a mask. Far more than any that is valid has, so that
   * what is a little too much is told field by field; without it 4 MiB of metadata keys take a second to read, and to count.
   */
  requestValues: 4096,
  /** An id longer than this cannot exist, so it is NOT_FOUND without a query. */
  userIdChars: 128,
  /** RFC 5321 §4.5.3.1.3: a path has 256 octets, two of them angle brackets. */
  emailChars: 254,
  /** RFC 5321 §4.5.3.1.1. */
  emailLocalPartChars: 64,
  nameChars: 200,
  roles: 32,
  roleChars: 64,
  metadataEntries: 64,
  metadataKeyChars: 128,
  metadataValueChars: 2048,
  /** All keys and values of one user together. */
  metadataBytes: 16 * 1024,
  requestIdChars: 128,
  etagChars: 256,
  filterChars: 256,
  pageTokenChars: 4096,
  defaultPageSize: 50,
  maxPageSize: 1000,
  /** CreateUserStream: items of one transaction, and their size, whichever is reached first. */
  bulkBatchItems: 100,
  bulkBatchBytes: 64 * 1024,
  /** CreateUserStream: failures listed in the answer, and the length of their reasons; those beyond are counted in its message. */
  bulkListedFailures: 1000,
  bulkListedReasonChars: 256 * 1024,
  roomIdChars: 128,
  /**
   * Chat messages read from the log at a time, by number and by bytes of content, whichever is reached first. A stream that
   * catches up begins small and asks for more as its reader takes what it was given: one that takes nothing holds no more
   * than the first batch.
   */
  chatFirstReadMessages: 2,
  chatFirstReadBytes: 4 * 1024,
  chatReadMessages: 100,
  chatReadBytes: 64 * 1024,
} as const;
