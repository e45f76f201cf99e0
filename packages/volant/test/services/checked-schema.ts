/**
 * A service whose messages have every place for a mistake: nested, in lists, maps and oneofs, beside well-known types. Made at run time.
 */
import { create, createFileRegistry, type DescService } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";

const IMPORTED = [
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
];
const USER = ".shop.User";

function messageField(name: string, number: number, typeName: string, label = Label.OPTIONAL) {
  return { name, number, type: Type.MESSAGE, typeName, label };
}

const file = create(FileDescriptorProtoSchema, {
  name: "shop.proto",
  package: "shop",
  syntax: "proto3",
  dependency: IMPORTED.map(({ proto }) => proto.name),
  messageType: [
    { name: "Empty" },
    {
      name: "User",
      field: [
        { name: "display_name", number: 1, type: Type.STRING, label: Label.OPTIONAL },
        messageField("created_at", 2, ".google.protobuf.Timestamp"),
        messageField("time_to_live", 3, ".google.protobuf.Duration"),
        { name: "email", number: 4, type: Type.STRING, label: Label.OPTIONAL, oneofIndex: 0 },
        { ...messageField("guardian", 5, USER), oneofIndex: 0 },
        messageField("friends", 6, USER, Label.REPEATED),
        messageField("by_name", 7, `${USER}.ByNameEntry`, Label.REPEATED),
        messageField("nick", 8, ".google.protobuf.StringValue"),
        messageField("extra", 9, ".google.protobuf.Struct"),
        messageField("any", 10, ".google.protobuf.Any"),
        messageField("json", 11, ".google.protobuf.Value"),
        messageField("owner", 12, USER),
        messageField("nothing", 13, ".shop.Empty"),
        { name: "scores", number: 14, type: Type.INT32, label: Label.REPEATED },
      ],
      oneofDecl: [{ name: "contact_by" }],
      nestedType: [
        {
          name: "ByNameEntry",
          options: { mapEntry: true },
          field: [{ name: "key", number: 1, type: Type.STRING, label: Label.OPTIONAL }, messageField("value", 2, USER)],
        },
      ],
    },
  ],
  service: [
    {
      name: "Shop",
      method: [
        { name: "Get", inputType: USER, outputType: USER },
        { name: "List", inputType: USER, outputType: USER, serverStreaming: true },
        { name: "Put", inputType: USER, outputType: USER, clientStreaming: true },
        { name: "Chat", inputType: USER, outputType: USER, clientStreaming: true, serverStreaming: true },
      ],
    },
  ],
});
const registry = createFileRegistry(file, (name) => IMPORTED.find(({ proto }) => proto.name === name)?.proto);

export const Shop: DescService = registry.getService("shop.Shop")!;
export const UserSchema = registry.getMessage("shop.User")!;
