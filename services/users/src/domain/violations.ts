/**
 * Collects what is wrong with a request, field by field, so that a caller learns everything at once. Invariant: at most
 * one violation a field, the first one found; the texts are written by this service and bounded.
 */

import type { RpcError } from "volant";
import { invalidArgument } from "./errors.ts";

export class Violations {
  readonly #byField = new Map<string, string>();

  /** `field` is a proto path such as `email`; `description` completes the sentence "<field> …". */
  add(field: string, description: string): void {
    if (!this.#byField.has(field)) this.#byField.set(field, description);
  }

  get isEmpty(): boolean {
    return this.#byField.size === 0;
  }

  /** "email must …; name must …" */
  toText(): string {
    return Array.from(this.#byField, ([field, description]) => `${field} ${description}`).join("; ");
  }

  toError(): RpcError {
    return invalidArgument(this.toText(), Object.fromEntries(this.#byField));
  }

  throwIfAny(): void {
    if (!this.isEmpty) throw this.toError();
  }
}
