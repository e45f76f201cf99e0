/**
 * grpc-js as a tool: health and reflection by protos that proto-loader reads, and a call by nothing but what reflection told.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { type Client, credentials, makeClientConstructor, type ServiceDefinition } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer, loadSync, type Options } from "@grpc/proto-loader";

const PROTO = join(import.meta.dirname, "..", "..", "proto");
const LOADING: Options = { includeDirs: [PROTO], enums: String, defaults: true };

export interface GrpcJsTools {
  listServices(version: "v1" | "v1alpha"): Promise<string[]>;
  /** The `message` of the answer. */
  getUserByReflection(userId: string): Promise<string>;
  check(service: string): Promise<string>;
  /** The first status of a Watch, which is left then. */
  firstWatched(service: string): Promise<string>;
  close(): void;
}

interface ReflectionAnswer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
}

/** To be closed by the caller. `caFile`: TLS. */
export function openGrpcJsTools(address: string, caFile?: string): GrpcJsTools {
  const security = caFile === undefined ? credentials.createInsecure() : credentials.createSsl(readFileSync(caFile));
  const Generic = makeClientConstructor({}, "tools");
  // By the name in the certificate: Node deprecates asking for an address.
  const options = caFile === undefined ? {} : { "grpc.ssl_target_name_override": "localhost" };
  const client: Client = new Generic(address, security, options);
  const health = definitionIn("grpc/health/v1/health.proto", "grpc.health.v1.Health");

  const reflect = async (version: string, question: object): Promise<ReflectionAnswer> => {
    const { path, requestSerialize, responseDeserialize } = definitionIn(
      `grpc/reflection/${version}/reflection.proto`,
      `grpc.reflection.${version}.ServerReflection`,
    ).ServerReflectionInfo!;
    const call = client.makeBidiStreamRequest<object, ReflectionAnswer>(path, requestSerialize, responseDeserialize);
    call.write(question);
    call.end();
    for await (const answer of call) return answer as ReflectionAnswer;
    throw new Error("reflection gave no answer");
  };

  return {
    async listServices(version) {
      const { listServicesResponse } = await reflect(version, { listServices: "*" });
      return (listServicesResponse?.service ?? []).map(({ name }) => name);
    },
    async getUserByReflection(userId) {
      const { fileDescriptorResponse } = await reflect("v1", { fileContainingSymbol: "user.UserService" });
      const file = (fileDescriptorResponse?.fileDescriptorProto ?? []).map((octets) =>
        fromBinary(FileDescriptorProtoSchema, octets),
      );
      const set = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
      const loaded = loadFileDescriptorSetFromBuffer(Buffer.from(set), LOADING);
      const service = loaded["user.UserService"] as ServiceDefinition;
      // From descriptors proto-loader takes names of fields as they stand there.
      return ((await unary(client, service.GetUser!, { user_id: userId })) as { readonly message: string }).message;
    },
    async check(service) {
      return ((await unary(client, health.Check!, { service })) as { readonly status: string }).status;
    },
    async firstWatched(service) {
      const { path, requestSerialize, responseDeserialize } = health.Watch!;
      const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service });
      // Cancelling makes an error, which is the point.
      call.on("error", () => {});
      for await (const { status } of call) {
        call.cancel();
        return status as string;
      }
      throw new Error("the Watch ended without a status");
    },
    close: () => client.close(),
  };
}

function definitionIn(file: string, service: string): ServiceDefinition {
  return loadSync(file, LOADING)[service] as ServiceDefinition;
}

function unary(client: Client, method: ServiceDefinition[string], request: object): Promise<unknown> {
  const { path, requestSerialize, responseDeserialize } = method;
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) =>
    error === null ? resolve(response) : reject(error),
  );
  return promise;
}
