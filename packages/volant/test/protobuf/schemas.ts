/**
 * The message types that the codec is tested with.
 */
import type { DescMessage } from "@bufbuild/protobuf";
import {
  AnySchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  StructSchema,
  ValueSchema,
} from "@bufbuild/protobuf/wkt";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.ts";
import { Kinds2Schema, RequiredSchema } from "./gen/volant/test/kinds2_pb.ts";
import { EmptySchema, Kinds3Schema, LeafSchema } from "./gen/volant/test/kinds3_pb.ts";
import { ImplicitOnlySchema, MixedSchema } from "./gen/volant/test/mixed_pb.ts";

export const TEST_SCHEMAS: readonly DescMessage[] = [
  Kinds3Schema,
  Kinds2Schema,
  MixedSchema,
  RequiredSchema,
  ImplicitOnlySchema,
  LeafSchema,
  EmptySchema,
  FileDescriptorSetSchema,
  FileDescriptorProtoSchema,
  StructSchema,
  ValueSchema,
  AnySchema,
  StatusSchema,
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
];
