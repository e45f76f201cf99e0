/**
 * From names to the files that declare them. Owns the index and the serialized form of files; knows neither calls nor the
 * messages of reflection.
 *
 * Invariants: what is known is what the files given can reach by imports, so a peer's question never loads anything. A file
 * is serialized once, exactly as its compiler wrote it: options this process knows nothing of are kept.
 */
import { type DescExtension, type DescFile, type DescMessage, toBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

export class DescriptorIndex {
  private readonly files = new Map<string, DescFile>();
  private readonly symbols = new Map<string, DescFile>();
  private readonly messages = new Set<string>();
  /** By the message that is extended, then by number. */
  private readonly extensions = new Map<string, Map<number, DescFile>>();
  private readonly serialized = new Map<DescFile, Uint8Array>();

  constructor(roots: Iterable<DescFile>) {
    // A stack of our own: imports may be nested deeper than the language's.
    const pending = [...roots];
    for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
      const name = nameOf(file);
      // Two copies of one file may be loaded; the first speaks for both, as a name can mean only one.
      if (this.files.has(name)) continue;
      this.files.set(name, file);
      this.addSymbols(file);
      pending.push(...file.dependencies);
    }
  }

  /** By its name in imports: "google/protobuf/any.proto". */
  file(name: string): DescFile | undefined {
    return this.files.get(name);
  }

  /** By the full name of a service, method, message, enum, enum value, field, oneof or extension. */
  fileOfSymbol(name: string): DescFile | undefined {
    return this.symbols.get(name);
  }

  fileOfExtension(extendee: string, number: number): DescFile | undefined {
    return this.extensions.get(extendee)?.get(number);
  }

  /** Ascending; undefined for what is no message. */
  extensionNumbers(extendee: string): number[] | undefined {
    if (!this.messages.has(extendee)) return undefined;
    return [...(this.extensions.get(extendee)?.keys() ?? [])].sort((a, b) => a - b);
  }

  serialize(file: DescFile): Uint8Array {
    let bytes = this.serialized.get(file);
    if (bytes === undefined) {
      bytes = toBinary(FileDescriptorProtoSchema, file.proto);
      this.serialized.set(file, bytes);
    }
    return bytes;
  }

  private addSymbols(file: DescFile): void {
    for (const type of nestedTypes(file)) {
      if (type.kind === "message") this.addMessage(type, file);
      else if (type.kind === "extension") this.addExtension(type, file);
      else this.addSymbol(type.typeName, file);
      if (type.kind === "service") {
        for (const method of type.methods) this.addSymbol(`${type.typeName}.${method.name}`, file);
      } else if (type.kind === "enum") {
        // A value is a sibling of its enum, not a child: C++ scoping.
        const scope = type.typeName.slice(0, type.typeName.lastIndexOf(".") + 1);
        for (const value of type.values) this.addSymbol(scope + value.name, file);
      }
    }
  }

  private addMessage(message: DescMessage, file: DescFile): void {
    this.messages.add(message.typeName);
    this.addSymbol(message.typeName, file);
    for (const member of [...message.fields, ...message.oneofs]) {
      this.addSymbol(`${message.typeName}.${member.name}`, file);
    }
  }

  private addExtension(extension: DescExtension, file: DescFile): void {
    this.addSymbol(extension.typeName, file);
    const { typeName } = extension.extendee;
    const numbers = this.extensions.get(typeName);
    if (numbers === undefined) this.extensions.set(typeName, new Map([[extension.number, file]]));
    else if (!numbers.has(extension.number)) numbers.set(extension.number, file);
  }

  private addSymbol(name: string, file: DescFile): void {
    if (!this.symbols.has(name)) this.symbols.set(name, file);
  }
}

/** As imports spell it; the name of a DescFile lacks the suffix. */
export function nameOf(file: DescFile): string {
  return file.proto.name;
}
