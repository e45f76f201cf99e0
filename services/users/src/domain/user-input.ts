/**
 * Turns what a caller sends into what the storage takes: new users and changes, checked field by field. Knows the
 * messages and the limits, not the storage's engine. Nothing that passes here can make the storage fail for its content
 * (U+0000 above all, which Postgres cannot hold).
 */

import type { CreateUserRequest, UpdateUserRequest } from "../gen/user_pb.ts";
import { isStorableText } from "../storage/storable.ts";
import type { NewUser, UserChange } from "../storage/user-store.ts";
import { emailFault } from "./email.ts";
import { userIdRequired } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { hasControlCharacters, hasOuterWhitespace, isLongerThan, quoted } from "./text.ts";
import { changedFields } from "./update-mask.ts";
import { Violations } from "./violations.ts";

/** Throws `User ID is required`. */
export function requireUserId(id: string): void {
  if (id === "") throw userIdRequired();
}

/** Ids are opaque, so an impossible one is not an error of its own: there is no such user. */
export function canBeUserId(id: string): boolean {
  return isStorableText(id) && !isLongerThan(id, LIMITS.userIdChars);
}

/** What is wrong with the request, none if it can be stored. */
export function newUserViolations(request: CreateUserRequest): Violations {
  const violations = new Violations();
  checkEmail(request.email, violations);
  checkName(request.name, violations);
  checkRoles(request.roles, violations);
  checkMetadata(request.metadata, violations);
  if (isLongerThan(request.requestId, LIMITS.requestIdChars) || hasControlCharacters(request.requestId)) {
    violations.add("request_id", `must have at most ${LIMITS.requestIdChars} characters and no control characters`);
  }
  return violations;
}

/** The request as the storage takes it. Checked before with `newUserViolations`. */
export function toNewUser(request: CreateUserRequest): NewUser {
  const { email, name, roles, metadata, requestId } = request;
  return requestId === "" ? { email, name, roles, metadata } : { email, name, roles, metadata, requestId };
}

/** The fields the mask names (an empty mask: those not at their default). Throws INVALID_ARGUMENT. */
export function toUserChange(request: UpdateUserRequest): UserChange {
  const violations = new Violations();
  const change: { -readonly [Field in keyof UserChange]: UserChange[Field] } = {};
  for (const field of changedFields(request)) {
    switch (field) {
      case "email":
        checkEmail(request.email, violations);
        change.email = request.email;
        break;
      case "name":
        checkName(request.name, violations);
        change.name = request.name;
        break;
      case "roles":
        checkRoles(request.roles, violations);
        change.roles = request.roles;
        break;
      case "metadata":
        checkMetadata(request.metadata, violations);
        change.metadata = request.metadata;
        break;
    }
  }
  if (isLongerThan(request.etag, LIMITS.etagChars) || !isStorableText(request.etag)) {
    violations.add("etag", "is not an etag of this service: send the one that came with the user, or none");
  }
  violations.throwIfAny();
  return change;
}

function checkEmail(email: string, violations: Violations): void {
  const fault = emailFault(email);
  if (fault !== undefined) violations.add("email", fault);
}

/** The contract asks for no name, so an empty one is legal. */
function checkName(name: string, violations: Violations): void {
  if (isLongerThan(name, LIMITS.nameChars)) violations.add("name", `must have at most ${LIMITS.nameChars} characters`);
  else if (hasControlCharacters(name)) violations.add("name", "must not contain control characters");
}

function checkRoles(roles: readonly string[], violations: Violations): void {
  if (roles.length > LIMITS.roles) {
    violations.add("roles", `must have at most ${LIMITS.roles} entries, ${roles.length} were given`);
    return;
  }
  for (const [index, role] of roles.entries()) {
    if (role === "" || hasOuterWhitespace(role) || hasControlCharacters(role) || isLongerThan(role, LIMITS.roleChars)) {
      violations.add(
        `roles[${index}]`,
        `must have 1 to ${LIMITS.roleChars} characters, no control characters and no white space at its ends`,
      );
    } else if (roles.indexOf(role) !== index) {
      violations.add(`roles[${index}]`, `repeats ${quoted(role)}`);
    }
  }
}

function checkMetadata(metadata: Readonly<Record<string, string>>, violations: Violations): void {
  const keys = Object.keys(metadata);
  if (keys.length > LIMITS.metadataEntries) {
    violations.add("metadata", `must have at most ${LIMITS.metadataEntries} entries, ${keys.length} were given`);
    return;
  }
  let bytes = 0;
  for (const key of keys) {
    const value = metadata[key]!;
    if (key === "" || hasControlCharacters(key) || isLongerThan(key, LIMITS.metadataKeyChars)) {
      violations.add(
        "metadata",
        `must have keys of 1 to ${LIMITS.metadataKeyChars} characters without control characters, not ${quoted(key)}`,
      );
    }
    if (!isStorableText(value) || isLongerThan(value, LIMITS.metadataValueChars)) {
      violations.add(
        "metadata",
        `must have values of at most ${LIMITS.metadataValueChars} characters without U+0000: see ${quoted(key)}`,
      );
    }
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > LIMITS.metadataBytes) {
    violations.add("metadata", `must have at most ${LIMITS.metadataBytes} bytes in all, ${bytes} were given`);
  }
}
