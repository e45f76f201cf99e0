/**
 * Message types into functions, when they are first used. Owns what is compiled and kept: one encoder and one decoder a type, together
 * with those of all types it contains, so that they call each other directly.
 *
 * The source text is compiled with `new Function`. Where the process forbids that (`--disallow-code-generation-from-strings`) the
 * same functions are closures; docs/adr/0005-compiled-codec.md has the measurements.
 */
import type { DescMessage } from "@bufbuild/protobuf";
import { createDecoder } from "./closure-decode.ts";
import { createEncoder } from "./closure-encode.ts";
import { emitDecode } from "./emit-decode.ts";
import { emitEncode } from "./emit-encode.ts";
import { type DecodeMessage, type EncodeMessage, RUNTIME } from "./runtime.ts";
import { type Compilation, type Role, Unit } from "./unit.ts";

type MessageFunction = EncodeMessage | DecodeMessage;
type FunctionMaker = (runtime: typeof RUNTIME, constants: readonly unknown[]) => MessageFunction[];

export interface Engine {
  encoder(desc: DescMessage): EncodeMessage;
  decoder(desc: DescMessage): DecodeMessage;
}

class Functions {
  private readonly functions = new WeakMap<DescMessage, Map<Role, MessageFunction>>();

  find(desc: DescMessage, role: Role): MessageFunction | undefined {
    return this.functions.get(desc)?.get(role);
  }

  set(desc: DescMessage, role: Role, value: MessageFunction): void {
    let roles = this.functions.get(desc);
    if (roles === undefined) {
      roles = new Map();
      this.functions.set(desc, roles);
    }
    roles.set(role, value);
  }
}

/** Compiles source text. */
export class CompilingEngine implements Engine {
  private readonly functions = new Functions();

  encoder(desc: DescMessage): EncodeMessage {
    return this.get(desc, "encode") as EncodeMessage;
  }

  decoder(desc: DescMessage): DecodeMessage {
    return this.get(desc, "decode") as DecodeMessage;
  }

  private get(desc: DescMessage, role: Role): MessageFunction {
    const existing = this.functions.find(desc, role);
    if (existing !== undefined) return existing;
    const { source, constants, compiled } = compileSource(desc, role, (other, otherRole) =>
      this.functions.find(other, otherRole),
    );
    const make = new Function("runtime", "constants", source) as FunctionMaker;
    const made = make(RUNTIME, constants);
    for (const [index, unit] of compiled.entries()) this.functions.set(unit.desc, unit.role, made[index]!);
    return made[0]!;
  }
}

/** The source text for one type and those it contains, save those that `find` has. */
export function compileSource(
  desc: DescMessage,
  role: Role,
  find: (desc: DescMessage, role: Role) => MessageFunction | undefined = () => undefined,
): Compilation {
  const unit = new Unit(find);
  unit.link(desc, role);
  return unit.finish(Object.keys(RUNTIME), (next, nextRole, name) =>
    nextRole === "encode" ? emitEncode(unit, next, name) : emitDecode(unit, next, nextRole, name),
  );
}

/** Makes closures. */
export class ClosureEngine implements Engine {
  private readonly functions = new Functions();

  readonly encoder = (desc: DescMessage): EncodeMessage => {
    return this.get(desc, "encode", () => createEncoder(desc, this.encoder)) as EncodeMessage;
  };

  readonly decoder = (desc: DescMessage): DecodeMessage => {
    return this.get(desc, "decode", () => createDecoder(desc, this.decoder)) as DecodeMessage;
  };

  private get(desc: DescMessage, role: Role, make: () => MessageFunction): MessageFunction {
    let found = this.functions.find(desc, role);
    if (found === undefined) {
      found = make();
      this.functions.set(desc, role, found);
    }
    return found;
  }
}

export function createEngine(): Engine {
  return mayCompile() ? new CompilingEngine() : new ClosureEngine();
}

function mayCompile(): boolean {
  try {
    return new Function("return true")() === true;
  } catch (error) {
    if (error instanceof EvalError) return false;
    throw error;
  }
}
