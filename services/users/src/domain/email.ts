/**
 * What an email address of a user may look like: the dot-atom form of RFC 5321 §4.1.2 with a domain name, in ASCII.
 * Quoted local parts, address literals and comments are legal mail but no one's login. ASCII only, because uniqueness
 * ignores case and only ASCII has one answer to what that means; internationalised domains are given in punycode.
 *
 * Invariant: linear in the length of the text (no nested quantifiers), and the length is checked first.
 */

import { LIMITS } from "./limits.ts";

const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** What is wrong with the address, as the end of the sentence "email …", or nothing. */
export function emailFault(email: string): string | undefined {
  if (email === "") return "must not be empty";
  if (email.length > LIMITS.emailChars) return `must have at most ${LIMITS.emailChars} characters`;
  const at = email.lastIndexOf("@");
  if (at < 0) return "must contain an @";
  const local = email.slice(0, at);
  if (local.length > LIMITS.emailLocalPartChars) {
    return `must have at most ${LIMITS.emailLocalPartChars} characters before the @`;
  }
  if (!LOCAL_PART.test(local)) return "must have only ASCII letters, digits, signs and single dots before the @";
  const labels = email.slice(at + 1).split(".");
  if (!labels.every((label) => LABEL.test(label))) return "must have a domain name after the @, such as example.com";
  return undefined;
}
