/**
 * What each question of reflection is answered with. Owns the answers of one stream, in the shape that v1 and v1alpha share;
 * knows neither the server nor which of the two is spoken.
 *
 * A file is answered with the files it imports, those left out that this stream was sent already, since clients ask for
 * each import otherwise. What is not there is an answer too and does not end the stream: clients go on asking.
 * Spec: gRPC server-reflection.md; grpc/reflection/v1/reflection.proto.
 */
import type { DescFile } from "@bufbuild/protobuf";
import { StatusCode } from "../../rpc/status.ts";
import { type DescriptorIndex, nameOf } from "./descriptor-index.ts";

/** A ServerReflectionRequest of either version. */
export interface Question {
  readonly host: string;
  readonly messageRequest:
    | { readonly case: "fileByFilename" | "fileContainingSymbol"; readonly value: string }
    | { readonly case: "allExtensionNumbersOfType" | "listServices"; readonly value: string }
    | {
        readonly case: "fileContainingExtension";
        readonly value: { readonly containingType: string; readonly extensionNumber: number };
      }
    | { readonly case: undefined; readonly value?: undefined };
}

/** `message_response` of a ServerReflectionResponse of either version. */
export type Answer =
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: "allExtensionNumbersResponse"; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "errorResponse"; value: { errorCode: number; errorMessage: string } };

/** What there is to ask about; later answers may know more. */
export interface Catalogue {
  /** Full names, sorted. */
  serviceNames(): readonly string[];
  index(): DescriptorIndex;
}

/** Imports beyond this many octets are left for the client to ask for, so that an answer fits a client's message limit. */
const ENOUGH_BYTES = 1024 * 1024;

export class Answers {
  private readonly catalogue: Catalogue;
  /** Bounded by what the catalogue has. */
  private readonly sent = new Set<string>();

  constructor(catalogue: Catalogue) {
    this.catalogue = catalogue;
  }

  answer({ messageRequest: { case: kind, value } }: Question): Answer {
    switch (kind) {
      case "listServices":
        return {
          case: "listServicesResponse",
          value: { service: this.catalogue.serviceNames().map((name) => ({ name })) },
        };
      case "fileByFilename":
        return this.filesFrom(this.index.file(value), () => `file ${quoted(value)}`);
      case "fileContainingSymbol":
        return this.filesFrom(this.index.fileOfSymbol(value), () => `symbol ${quoted(value)}`);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = value;
        const file = this.index.fileOfExtension(containingType, extensionNumber);
        return this.filesFrom(file, () => `extension ${extensionNumber} of ${quoted(containingType)}`);
      }
      case "allExtensionNumbersOfType": {
        const numbers = this.index.extensionNumbers(value);
        if (numbers === undefined) return failure(StatusCode.NOT_FOUND, `unknown message ${quoted(value)}`);
        return { case: "allExtensionNumbersResponse", value: { baseTypeName: value, extensionNumber: numbers } };
      }
      default:
        return failure(
          StatusCode.INVALID_ARGUMENT,
          "message_request is not set, or is one that this server does not know",
        );
    }
  }

  private get index(): DescriptorIndex {
    return this.catalogue.index();
  }

  private filesFrom(file: DescFile | undefined, what: () => string): Answer {
    if (file === undefined) return failure(StatusCode.NOT_FOUND, `unknown ${what()}`);
    const { index, sent } = this;
    const files: Uint8Array[] = [index.serialize(file)];
    let size = files[0]!.length;
    sent.add(nameOf(file));
    const pending = [...file.dependencies];
    for (let at = 0; at < pending.length && size < ENOUGH_BYTES; at++) {
      const dependency = pending[at]!;
      if (sent.has(nameOf(dependency))) continue;
      const bytes = index.serialize(dependency);
      size += bytes.length;
      sent.add(nameOf(dependency));
      files.push(bytes);
      pending.push(...dependency.dependencies);
    }
    return { case: "fileDescriptorResponse", value: { fileDescriptorProto: files } };
  }
}

function failure(errorCode: StatusCode, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}

function quoted(name: string): string {
  return JSON.stringify(name.length > 256 ? `${name.slice(0, 256)}…` : name);
}
