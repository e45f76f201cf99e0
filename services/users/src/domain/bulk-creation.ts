/**
 * Creates the users of one CreateUserStream call, in batches of bounded size, each one transaction, so that memory and
 * transactions stay bounded however long the stream is.
 *
 * Invariants: an item is stored whole or not at all; a bad item is a failure in the answer and never costs a good one;
 * batches are stored in the order they came. A caller that vanishes leaves a prefix of its good items behind: batches
 * committed before stay, the one being gathered is dropped, since nobody learns of it. With request_ids the whole stream
 * can be sent again and gives the answer of the first time. The failures beyond `LIMITS.bulkListedFailures`, or
 * beyond the length that their reasons may have together, are not listed, only counted in the message, so that the answer, and
 * what a stream holds for it, stays small.
 */

import type { MessageInitShape } from "@bufbuild/protobuf";
import { StatusCode } from "volant";
import type { CreateUserRequest, UserResponseSchema } from "../gen/user_pb.ts";
import type { Requester } from "../storage/requester.ts";
import type { CreateOutcome, NewUser, UserRecord, UserStore } from "../storage/user-store.ts";
import { emailTakenText, REQUEST_MISMATCH_TEXT } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { newUserViolations, toNewUser } from "./user-input.ts";
import { toUserMessage } from "./user-message.ts";

interface Failure {
  readonly index: number;
  readonly code: StatusCode;
  readonly reason: string;
}

export class BulkCreation {
  readonly #users: UserStore;
  readonly #requester: Requester;
  #batch: NewUser[] = [];
  #batchIndexes: number[] = [];
  #batchBytes = 0;
  #received = 0;
  #created = 0;
  #failed = 0;
  #failures: Failure[] = [];
  #reasonChars = 0;
  #last: UserRecord | undefined;

  constructor(users: UserStore, requester: Requester) {
    this.#users = users;
    this.#requester = requester;
  }

  /** Takes the next item; waits while a full batch is being stored. */
  async add(request: CreateUserRequest): Promise<void> {
    const index = this.#received++;
    const violations = newUserViolations(request);
    if (!violations.isEmpty) {
      this.#fail(index, StatusCode.INVALID_ARGUMENT, violations.toText());
      return;
    }
    this.#batch.push(toNewUser(request));
    this.#batchIndexes.push(index);
    this.#batchBytes += sizeOf(request);
    const isFull = this.#batch.length >= LIMITS.bulkBatchItems || this.#batchBytes >= LIMITS.bulkBatchBytes;
    if (isFull) await this.#store();
  }

  /** Stores what is left and sums up. */
  async finish(): Promise<MessageInitShape<typeof UserResponseSchema>> {
    await this.#store();
    const failures = this.#failures.toSorted((a, b) => a.index - b.index);
    const summary = { message: this.#toMessage(), createdCount: this.#created, failures };
    return this.#last === undefined ? summary : { ...summary, user: toUserMessage(this.#last) };
  }

  async #store(): Promise<void> {
    if (this.#batch.length === 0) return;
    const indexes = this.#batchIndexes;
    const batch = this.#batch;
    this.#batch = [];
    this.#batchIndexes = [];
    this.#batchBytes = 0;
    const outcomes = await this.#users.createMany(batch, this.#requester);
    for (const [position, outcome] of outcomes.entries()) {
      this.#record(indexes[position] ?? 0, batch[position]?.email ?? "", outcome);
    }
  }

  #record(index: number, email: string, outcome: CreateOutcome): void {
    switch (outcome.kind) {
      case "created":
        this.#created++;
        this.#last = outcome.user;
        break;
      case "email-taken":
        this.#fail(index, StatusCode.ALREADY_EXISTS, emailTakenText(email));
        break;
      case "request-mismatch":
        this.#fail(index, StatusCode.INVALID_ARGUMENT, REQUEST_MISMATCH_TEXT);
        break;
    }
  }

  #fail(index: number, code: StatusCode, reason: string): void {
    this.#failed++;
    if (this.#failures.length >= LIMITS.bulkListedFailures || this.#reasonChars >= LIMITS.bulkListedReasonChars) return;
    this.#failures.push({ index, code, reason });
    this.#reasonChars += reason.length;
  }

  #toMessage(): string {
    const created = `${this.#created} of ${this.#received} users created`;
    const unlisted = this.#failed - this.#failures.length;
    return unlisted === 0 ? created : `${created}; ${unlisted} of ${this.#failed} failures are not listed`;
  }
}

/** About what the item takes in memory and in the transaction. */
function sizeOf(request: CreateUserRequest): number {
  let size = request.email.length + request.name.length + request.requestId.length;
  for (const role of request.roles) size += role.length;
  for (const key in request.metadata) size += key.length + request.metadata[key]!.length;
  return size;
}
