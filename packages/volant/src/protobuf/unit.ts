/**
 * One piece of source text that compiles several message types together. Owns the names in it: which functions of the runtime, which
 * constants and which other types' functions it mentions, so that a type calls the types of its fields directly.
 *
 * Invariant: nothing of a descriptor becomes code but as a JSON string or a number. Descriptors may come from a peer.
 */
import type { DescMessage } from "@bufbuild/protobuf";

/** What a function of the unit does with its message: encode it, decode it with a length, decode it as a group. */
export type Role = "encode" | "decode" | "group";

export class Unit {
  readonly constants: unknown[] = [];
  private readonly indexes = new Map<unknown, number>();
  private readonly types = new Map<DescMessage, Map<Role, string>>();
  private readonly waiting: { desc: DescMessage; role: Role; name: string }[] = [];
  private readonly find: (desc: DescMessage, role: Role) => unknown;
  private count = 0;

  /** `find` gives the function where the type was compiled before. */
  constructor(find: (desc: DescMessage, role: Role) => unknown) {
    this.find = find;
  }

  /** An expression for a value that source text cannot hold. */
  constant(value: unknown): string {
    let index = this.indexes.get(value);
    if (index === undefined) {
      index = this.constants.push(value) - 1;
      this.indexes.set(value, index);
    }
    return `k${index}`;
  }

  /** The name of the function that does this for `desc`; it is compiled in this unit unless it exists. */
  link(desc: DescMessage, role: Role): string {
    let names = this.types.get(desc);
    if (names === undefined) {
      names = new Map();
      this.types.set(desc, names);
    }
    let name = names.get(role);
    if (name === undefined) {
      const existing = this.find(desc, role);
      name = existing === undefined ? `${role}${this.count++}` : this.constant(existing);
      names.set(role, name);
      if (existing === undefined) this.waiting.push({ desc, role, name });
    }
    return name;
  }

  /** The source of a function that returns the functions of this unit, for `new Function("runtime", "constants", …)`. */
  finish(runtimeNames: readonly string[], emit: (desc: DescMessage, role: Role, name: string) => string): Compilation {
    const functions: string[] = [];
    const compiled: { desc: DescMessage; role: Role; name: string }[] = [];
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      functions.push(emit(next.desc, next.role, next.name));
      compiled.push(next);
    }
    const source = [
      '"use strict";',
      `const { ${runtimeNames.join(", ")} } = runtime;`,
      ...this.constants.map((_, index) => `const k${index} = constants[${index}];`),
      ...functions,
      `return [${compiled.map(({ name }) => name).join(", ")}];`,
    ].join("\n");
    return { source, constants: this.constants, compiled };
  }
}

export interface Compilation {
  readonly source: string;
  readonly constants: readonly unknown[];
  /** What the source returns, in this order. */
  readonly compiled: readonly { readonly desc: DescMessage; readonly role: Role }[];
}

/** A value as source text. */
export function literal(value: string | number | boolean | bigint): string {
  return typeof value === "bigint" ? `${value}n` : JSON.stringify(value);
}

export function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}
