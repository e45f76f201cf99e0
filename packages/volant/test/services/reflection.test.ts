/** grpc.reflection.v1 and v1alpha over a connection. gRPC server-reflection.md. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { create, createFileRegistry, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_descriptor,
} from "@bufbuild/protobuf/wkt";
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from "../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../src/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { Server, StatusCode } from "../../src/index.ts";
import { health, type ReflectionOptions, reflection } from "../../src/services/index.ts";
import { type Lab as TestLab, useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { file_volant_test_kinds2 } from "../protobuf/gen/volant/test/kinds2_pb.ts";
import { withHandlers } from "../server/support/lab-service.ts";

type Question = NonNullable<MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"]>;
type Response = ServerReflectionResponse["messageResponse"];

async function useReflection(t: TestContext, options?: ReflectionOptions): Promise<TestLab> {
  const setUp = (server: Server): void => {
    health(server);
    reflection(server, options);
    withHandlers({})(server);
  };
  return useServer(t, setUp, { over: "memory" });
}

/** The answers of one stream, v1 or v1alpha. */
async function ask(lab: TestLab, questions: readonly Question[], service = ServerReflection): Promise<Response[]> {
  const requests = questions.map((messageRequest) => ({ host: "h", messageRequest }));
  const answers: Response[] = [];
  for await (const { messageResponse } of lab.client(service).serverReflectionInfo(requests)) {
    answers.push(messageResponse);
  }
  return answers;
}

function filesIn(answer: Response | undefined): FileDescriptorProto[] {
  assert.ok(answer?.case === "fileDescriptorResponse", `files, not ${JSON.stringify(answer)}`);
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

function namesIn(answer: Response | undefined): string[] {
  return filesIn(answer).map(({ name }) => name);
}

function errorIn(answer: Response | undefined): { errorCode: number; errorMessage: string } {
  assert.ok(answer?.case === "errorResponse", `an error, not ${answer?.case}`);
  return answer.value;
}

const symbol = (value: string): Question => ({ case: "fileContainingSymbol", value });
const file = (value: string): Question => ({ case: "fileByFilename", value });

test("all services are listed by name, those added later and those without descriptors too", async (t) => {
  const lab = await useReflection(t);
  lab.server.add({ kind: "definition", typeName: "a.Adapted", method: {}, methods: [] }, {});
  const [answer, adapted] = await ask(lab, [{ case: "listServices", value: "*" }, symbol("a.Adapted")]);
  assert.ok(answer?.case === "listServicesResponse");
  assert.deepEqual(
    answer.value.service.map(({ name }) => name),
    [
      "a.Adapted",
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "volant.test.Lab",
    ],
  );
  assert.equal(errorIn(adapted).errorCode, StatusCode.NOT_FOUND);
});

test("v1 and v1alpha give the same answers, with host and question in them", async (t) => {
  const lab = await useReflection(t);
  const question = { case: "fileContainingSymbol", value: "volant.test.Lab" } as const;
  const requests = [{ host: "example.com", messageRequest: question }];
  const answers = [];
  for await (const answer of lab.client(ServerReflection).serverReflectionInfo(requests)) answers.push(answer);
  for await (const answer of lab.client(ServerReflectionAlpha).serverReflectionInfo(requests)) answers.push(answer);
  assert.equal(answers.length, 2);
  for (const { validHost, originalRequest, messageResponse } of answers) {
    assert.equal(validHost, "example.com");
    assert.deepEqual(originalRequest?.messageRequest, question);
    assert.equal(filesIn(messageResponse as Response)[0]?.name, "lab.proto");
  }
});

test("a file comes with all it imports, once a stream, and again when it is asked for by name", async (t) => {
  const lab = await useReflection(t);
  const details = symbol("google.rpc.RetryInfo");
  const answers = await ask(lab, [details, details, file("google/protobuf/duration.proto")]);
  assert.deepEqual(answers.map(namesIn), [
    ["google/rpc/error_details.proto", "google/protobuf/duration.proto"],
    ["google/rpc/error_details.proto"],
    ["google/protobuf/duration.proto"],
  ]);
  const fresh = await ask(lab, [details]);
  assert.equal(namesIn(fresh[0]).length, 2);
});

test("what is sent is enough to build the service again", async (t) => {
  const lab = await useReflection(t);
  const [answer] = await ask(lab, [symbol("volant.test.Lab")]);
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: filesIn(answer).reverse() }));
  const rebuilt = registry.getService("volant.test.Lab");
  assert.deepEqual(
    rebuilt?.methods.map(({ name, methodKind }) => [name, methodKind]),
    Lab.methods.map(({ name, methodKind }) => [name, methodKind]),
  );
});

test("imports beyond a megabyte are left for the client to ask for", async (t) => {
  const files = Array.from({ length: 10 }, (_, at) =>
    create(FileDescriptorProtoSchema, {
      name: `big${at}.proto`,
      syntax: "proto3",
      dependency: at === 0 ? [] : [`big${at - 1}.proto`],
      messageType: Array.from({ length: 200 }, (_, n) => ({ name: `M${at}x${n}x${"y".repeat(2_000)}` })),
    }),
  );
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: files }));
  const lab = await useReflection(t, { files: [registry.getFile("big9.proto")!] });
  const [some, rest] = await ask(lab, [file("big9.proto"), file("big0.proto")]);
  assert.deepEqual(namesIn(some), ["big9.proto", "big8.proto", "big7.proto"]);
  assert.deepEqual(namesIn(rest), ["big0.proto"]);
});

test("what there is not is an error in the stream, which goes on", async (t) => {
  const lab = await useReflection(t);
  const unknown: Question[] = [
    symbol("no.Such"),
    file("no/such.proto"),
    file("lab"),
    { case: "allExtensionNumbersOfType", value: "no.Such" },
    { case: "fileContainingExtension", value: { containingType: "volant.test.Note", extensionNumber: 1 } },
  ];
  const answers = await ask(lab, [
    ...unknown,
    { case: undefined },
    symbol(`${"x".repeat(100_000)}`),
    symbol("volant.test.Note"),
  ]);
  const errors = answers.slice(0, -1).map(errorIn);
  assert.deepEqual(
    errors.map(({ errorCode }) => errorCode),
    [...unknown.map(() => StatusCode.NOT_FOUND), StatusCode.INVALID_ARGUMENT, StatusCode.NOT_FOUND],
  );
  assert.equal(errors[0]?.errorMessage, 'unknown symbol "no.Such"');
  assert.equal(errors[4]?.errorMessage, 'unknown extension 1 of "volant.test.Note"');
  assert.ok(errors.every(({ errorMessage }) => errorMessage.length < 400));
  assert.deepEqual(namesIn(answers.at(-1)), ["lab.proto"]);
});

test("extensions and types that no service imports are known where their files are given", async (t) => {
  const lab = await useReflection(t, { files: [file_volant_test_kinds2, file_google_protobuf_descriptor] });
  const [numbers, extension, none] = await ask(lab, [
    { case: "allExtensionNumbersOfType", value: "volant.test.Kinds2" },
    { case: "fileContainingExtension", value: { containingType: "volant.test.Kinds2", extensionNumber: 1000 } },
    { case: "allExtensionNumbersOfType", value: "google.protobuf.FileOptions" },
  ]);
  assert.ok(numbers?.case === "allExtensionNumbersResponse" && none?.case === "allExtensionNumbersResponse");
  assert.equal(numbers.value.baseTypeName, "volant.test.Kinds2");
  assert.deepEqual(numbers.value.extensionNumber, [1000, 1001, 1002]);
  assert.deepEqual(none.value.extensionNumber, []);
  assert.equal(filesIn(extension)[0]?.messageType[0]?.name !== undefined, true);
});

test("a service that is not shown is neither listed nor described, and can be called", async (t) => {
  const lab = await useReflection(t, { services: (name) => name.startsWith("grpc.") });
  const [list, hidden, shown] = await ask(lab, [
    { case: "listServices", value: "" },
    symbol("volant.test.Lab"),
    symbol("grpc.health.v1.Health"),
  ]);
  assert.ok(list?.case === "listServicesResponse");
  assert.ok(list.value.service.every(({ name }) => name.startsWith("grpc.")));
  assert.equal(errorIn(hidden).errorCode, StatusCode.NOT_FOUND);
  assert.equal(namesIn(shown)[0], "grpc/health/v1/health.proto");
  assert.equal((await lab.client(Lab).unary({ text: "a" })).text, "echo a");
});

test("a service that is added after the first question is described too", async (t) => {
  const lab = await useServer(t, (server) => reflection(server), { over: "memory" });
  const before = await ask(lab, [symbol("volant.test.Lab")]);
  assert.equal(errorIn(before[0]).errorCode, StatusCode.NOT_FOUND);
  withHandlers({})(lab.server);
  const after = await ask(lab, [symbol("volant.test.Lab")]);
  assert.deepEqual(namesIn(after[0]), ["lab.proto"]);
});

test("every one of many questions on a stream is answered", async (t) => {
  const lab = await useReflection(t);
  const questions = Array.from({ length: 2_000 }, () => symbol("google.rpc.RetryInfo"));
  const answers = await ask(lab, questions);
  assert.equal(answers.length, 2_000);
});

test("reflection is added once", () => {
  const server = new Server();
  reflection(server);
  assert.throws(() => reflection(server), /grpc\.reflection\.v1\.ServerReflection is registered already/);
});
