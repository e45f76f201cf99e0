/**
 * Every error this service answers with, in one place, so that a text is written once: clients and tests rely on some
 * of them word by word. Knows nothing of storage or handlers. No message carries SQL, and none more than a bounded part
 * of what the caller sent.
 */

import { badRequest, RpcError, resourceInfo, StatusCode } from "volant";
import { LIMITS } from "./limits.ts";
import { quoted } from "./text.ts";

const USER_TYPE = "user.User";

/** `fields` maps the path of a request field, in proto spelling, to what is wrong with it. */
export function invalidArgument(message: string, fields: Readonly<Record<string, string>>): RpcError {
  return new RpcError(StatusCode.INVALID_ARGUMENT, message, { details: [badRequest(fields)] });
}

export function userIdRequired(): RpcError {
  return invalidArgument("User ID is required", { user_id: "must not be empty" });
}

export function userNotFound(id: string): RpcError {
  const shown = shortened(id);
  const message = `User ${shown} not found`;
  return new RpcError(StatusCode.NOT_FOUND, message, { details: [userInfo(shown, message)] });
}

export function emailTaken(email: string): RpcError {
  const message = emailTakenText(email);
  return new RpcError(StatusCode.ALREADY_EXISTS, message, { details: [userInfo(email, message)] });
}

export function emailTakenText(email: string): string {
  return `A user with the email ${email} already exists`;
}

export function etagMismatch(id: string): RpcError {
  const message = `User ${shortened(id)} was changed by someone else: read it again and repeat the update with its etag`;
  return new RpcError(StatusCode.ABORTED, message, { details: [userInfo(shortened(id), message)] });
}

export const REQUEST_MISMATCH_TEXT =
  "request_id was already used for another user: send the same content again, or a new request_id";

export function requestMismatch(): RpcError {
  return invalidArgument(REQUEST_MISMATCH_TEXT, { request_id: "was already used with other content" });
}

export function roomIdRequired(): RpcError {
  return invalidArgument("Room ID is required", { room_id: "must not be empty" });
}

export function roomForbidden(roomId: string): RpcError {
  return new RpcError(StatusCode.PERMISSION_DENIED, `Not allowed to enter room ${quoted(roomId)}`);
}

export function tooManyRooms(max: number): RpcError {
  return new RpcError(
    StatusCode.RESOURCE_EXHAUSTED,
    `This stream is in ${max} rooms already, the most allowed: open another stream for more`,
  );
}

export function tooManyRoomsOfClient(): RpcError {
  return new RpcError(
    StatusCode.RESOURCE_EXHAUSTED,
    "The streams of this client are in as many rooms as one client's may be, or too many messages wait for their readers: " +
      "read what waits, or end streams that are not needed",
  );
}

export function slowReader(queuedMessages: number, queuedBytes: number): RpcError {
  return new RpcError(
    StatusCode.RESOURCE_EXHAUSTED,
    `The reader is too slow: ${queuedMessages} messages (${queuedBytes} bytes) were waiting for it. ` +
      "Join again with resume_after to read on where it stopped",
  );
}

/** The queue of this stream has room, but those of its client's streams hold all that one client may have. */
export function slowReaders(): RpcError {
  return new RpcError(
    StatusCode.RESOURCE_EXHAUSTED,
    "Too many messages are waiting for the readers of this client's streams. " +
      "Read what waits, then join again with resume_after to read on where this stream stopped",
  );
}

/**
 * PERMISSION_DENIED, not ABORTED: ABORTED invites the client to try again, and a deleted user must stay out: who joins with
 * its id gets the same answer.
 */
export function senderDeleted(id: string): RpcError {
  return new RpcError(StatusCode.PERMISSION_DENIED, `User ${shortened(id)} was deleted`);
}

export function chatDraining(): RpcError {
  return new RpcError(
    StatusCode.UNAVAILABLE,
    "The server is shutting down: join again elsewhere with resume_after to read on where this stream stopped",
  );
}

/** The storage cannot answer now; the same call may work later. `cause` stays in this process. */
export function storageUnavailable(cause?: unknown): RpcError {
  return new RpcError(StatusCode.UNAVAILABLE, "The user storage is not available at the moment: try again later", {
    cause,
  });
}

/** The fault of this caller and not of the storage: it must wait for answers before it asks for more. */
export function tooManyWaiting(cause?: unknown): RpcError {
  return new RpcError(
    StatusCode.RESOURCE_EXHAUSTED,
    "Too many calls of this client are waiting for the user storage: wait for their answers before you send more",
    { cause },
  );
}

function userInfo(name: string, description: string): ReturnType<typeof resourceInfo> {
  return resourceInfo({ resourceType: USER_TYPE, resourceName: name, description });
}

function shortened(id: string): string {
  return id.length <= LIMITS.userIdChars ? id : `${id.slice(0, LIMITS.userIdChars)}…`;
}
