/**
 * What must be given as a service, and what people give in its place. Owns telling them apart by shape, whichever copy of a
 * package made them, and the words for it.
 */
import { describeGiven } from "./option-names.ts";

type Shape = Readonly<Record<string, unknown>>;

/** Throws TypeError for what is no service, saying what it is instead. `where` is what the user called: "server.add()". */
export function checkService(where: string, given: unknown): void {
  if (isService(given)) return;
  throw new TypeError(`${where}: ${whatItIs(given)}; a service that was generated from a .proto is allowed`);
}

/** A descriptor of protobuf-es, or a definition by `fromGrpcJs`. */
export function isService(given: unknown): boolean {
  if (typeof given !== "object" || given === null) return false;
  const { kind, typeName, methods } = given as Shape;
  return (kind === "service" || kind === "definition") && typeof typeName === "string" && Array.isArray(methods);
}

function whatItIs(given: unknown): string {
  if (typeof given === "function" && "service" in given) {
    return "a client constructor of grpc-js given; make a service of it: fromGrpcJs(itsName.service), from volant/grpc-js";
  }
  if (typeof given !== "object" || given === null) return `${describeGiven(given)} given as service`;
  const { kind, typeName } = given as Shape;
  if (kind === "message") return `the message ${String(typeName)} given as service`;
  if (kind === "rpc") return "one method given as service; give the service it belongs to";
  if (kind === "file") return "a whole file given as service; give one service of it";
  if (Object.values(given).some(isGrpcJsMethod)) {
    return "a definition of grpc-js given; make a service of it: fromGrpcJs(definition), from volant/grpc-js";
  }
  const inside = Object.entries(given).find(([, value]) => isService(value));
  if (inside !== undefined) return `${describeGiven(given)} given as service; its member ${inside[0]} is one`;
  return `${describeGiven(given)} given as service`;
}

function isGrpcJsMethod(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { path, requestSerialize } = value as Shape;
  return typeof path === "string" && typeof requestSerialize === "function";
}
