import assert from "node:assert/strict";
import { test } from "node:test";
import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  FileOptionsSchema,
  file_google_protobuf_descriptor,
} from "@bufbuild/protobuf/wkt";
import { file_volant_test_kinds2 } from "../../../test/protobuf/gen/volant/test/kinds2_pb.ts";
import { file_grpc_health_v1_health } from "../../gen/grpc/health/v1/health_pb.ts";
import { DescriptorIndex, nameOf } from "./descriptor-index.ts";

test("every kind of symbol leads to the file that declares it", () => {
  const index = new DescriptorIndex([file_grpc_health_v1_health, file_volant_test_kinds2]);
  for (const name of [
    "grpc.health.v1.Health",
    "grpc.health.v1.Health.Check",
    "grpc.health.v1.HealthCheckResponse",
    "grpc.health.v1.HealthCheckResponse.status",
    "grpc.health.v1.HealthCheckResponse.ServingStatus",
    "grpc.health.v1.HealthCheckResponse.SERVING",
    "grpc.health.v1.HealthListResponse.statuses",
  ]) {
    assert.equal(index.fileOfSymbol(name), file_grpc_health_v1_health, name);
  }
  for (const name of [
    "volant.test.Kinds2",
    "volant.test.Kinds2.Cluster.Item",
    "volant.test.Kinds2.choice",
    "volant.test.extra_text",
    "volant.test.Grade",
  ]) {
    assert.equal(index.fileOfSymbol(name), file_volant_test_kinds2, name);
  }
});

test("what only resembles a symbol leads nowhere", () => {
  const index = new DescriptorIndex([file_grpc_health_v1_health]);
  for (const name of [
    "",
    ".grpc.health.v1.Health",
    "grpc.health.v1",
    "grpc.health.v1.Health.check",
    "grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING",
    "__proto__",
    "constructor",
  ]) {
    assert.equal(index.fileOfSymbol(name), undefined, name);
  }
});

test("extensions are found by number, and listed for what can have any", () => {
  const index = new DescriptorIndex([file_volant_test_kinds2]);
  assert.equal(index.fileOfExtension("volant.test.Kinds2", 1001), file_volant_test_kinds2);
  assert.equal(index.fileOfExtension("volant.test.Kinds2", 1003), undefined);
  assert.deepEqual(index.extensionNumbers("volant.test.Kinds2"), [1000, 1001, 1002]);
  assert.deepEqual(index.extensionNumbers("volant.test.Required"), []);
  assert.equal(index.extensionNumbers("volant.test.Grade"), undefined);
});

test("imports are known by their names", () => {
  const index = new DescriptorIndex([file_google_protobuf_descriptor]);
  assert.equal(index.file("google/protobuf/descriptor.proto"), file_google_protobuf_descriptor);
  assert.equal(index.file("google/protobuf/descriptor"), undefined);
});

test("a file is serialized as its compiler wrote it, with options nobody here knows", () => {
  const custom = { no: 50_000, wireType: 2, data: Uint8Array.of(2, 104, 105) };
  const options = create(FileOptionsSchema, { deprecated: true });
  options.$unknown = [custom];
  const proto = create(FileDescriptorProtoSchema, { name: "custom.proto", syntax: "proto3", options });
  const written = toBinary(FileDescriptorProtoSchema, proto);
  const registry = createFileRegistry(
    create(FileDescriptorSetSchema, { file: [fromBinary(FileDescriptorProtoSchema, written)] }),
  );
  const file = registry.getFile("custom.proto");
  assert.ok(file !== undefined);
  const index = new DescriptorIndex([file]);
  assert.deepEqual(index.serialize(file), written);
  assert.equal(index.serialize(file), index.serialize(file), "serialized once");
});

test("a long chain of imports, and imports by many ways, are walked once each", () => {
  const file = Array.from({ length: 3_000 }, (_, at) => {
    const dependency = [at - 1, at - 2].filter((before) => before >= 0).map((before) => `f${before}.proto`);
    return create(FileDescriptorProtoSchema, { name: `f${at}.proto`, syntax: "proto3", dependency });
  });
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file }));
  const last = registry.getFile("f2999.proto")!;
  const index = new DescriptorIndex([last]);
  assert.equal(nameOf(index.file("f0.proto")!), "f0.proto");
});
