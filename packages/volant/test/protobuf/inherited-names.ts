/**
 * Message types whose fields and oneofs are called like what every object inherits, or would without the `$` of protobuf-es. Owns their
 * descriptors, which are made at run time: one message for each kind of field, with a field of that kind for each name, in proto3 and in
 * proto2.
 *
 * Each has a twin with harmless names and the same numbers, hence the same bytes. protobuf-es is the judge by way of the twin: with the
 * names themselves it merges a message that it decodes into the function of `Object.prototype`.
 */
import {
  create,
  createFileRegistry,
  type DescField,
  type DescMessage,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import {
  type FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  file_google_protobuf_struct,
  file_google_protobuf_wrappers,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";

export const NAMES: readonly string[] = [
  "has_own_property",
  "is_prototype_of",
  "property_is_enumerable",
  "to_locale_string",
  "constructor",
  "to_string",
  "value_of",
  "to_json",
  "then",
  "__proto__",
  "__define_getter__",
  "__lookup_setter__",
];

type FieldInit = MessageInitShape<typeof FieldDescriptorProtoSchema>;
type Syntax = "proto3" | "proto2";

const PACKAGE = "volant.names";
const DEFAULTS = new Map([
  [Type.STRING, "abc"],
  [Type.INT32, "7"],
  [Type.INT64, "-9"],
  [Type.BOOL, "true"],
  [Type.DOUBLE, "1.5"],
  [Type.BYTES, "abc"],
  [Type.ENUM, "B"],
]);
const SCALARS: readonly Type[] = [Type.STRING, Type.INT32, Type.INT64, Type.BOOL, Type.DOUBLE, Type.BYTES];

/** A field of this type with a name and a number; `typeName` is relative to the file. */
function field(index: number, type: Type, more: FieldInit = {}): FieldInit {
  return { name: NAMES[index]!, number: index + 1, type, label: Label.OPTIONAL, ...more };
}

function allNames(make: (index: number) => FieldInit): FieldInit[] {
  return NAMES.map((_, index) => make(index));
}

function messageOf(name: string, fields: readonly FieldInit[]) {
  return { name, field: [...fields] };
}

/** `optional` of proto3: a oneof of one field. */
function optionalMessage(name: string, type: Type, typeName = "") {
  return {
    name,
    field: allNames((index) => field(index, type, { typeName, proto3Optional: true, oneofIndex: index })),
    oneofDecl: NAMES.map((each) => ({ name: `_${each}` })),
  };
}

function mapMessage(syntax: Syntax, name: string, type: Type, typeName = "") {
  const parent = `.${PACKAGE}.${syntax}.${name}`;
  const nestedType = NAMES.map((_, index) => ({
    name: `Entry${index}`,
    options: { mapEntry: true },
    field: [
      { name: "key", number: 1, type: Type.STRING, label: Label.OPTIONAL },
      { name: "value", number: 2, type, typeName, label: Label.OPTIONAL },
    ],
  }));
  const fields = allNames((index) =>
    field(index, Type.MESSAGE, { label: Label.REPEATED, typeName: `${parent}.Entry${index}` }),
  );
  return { name, field: fields, nestedType };
}

/** Each name as the case of a oneof, and as the oneof itself. */
function oneofMessages(types: readonly (readonly [Type, string])[]) {
  const typeOf = (index: number): readonly [Type, string] => types[index % types.length]!;
  const cases = allNames((index) => field(index, typeOf(index)[0], { typeName: typeOf(index)[1], oneofIndex: 0 }));
  const groups = NAMES.flatMap((_, group) =>
    [0, 1].map((of) => {
      const number = 2 * group + of;
      const [type, typeName] = typeOf(number);
      const name = `${["left", "right"][of]}${group}`;
      return { name, number: number + 1, type, typeName, label: Label.OPTIONAL, oneofIndex: group };
    }),
  );
  return [
    { name: "Cases", field: cases, oneofDecl: [{ name: "choice" }] },
    { name: "Groups", field: groups, oneofDecl: NAMES.map((name) => ({ name })) },
  ];
}

function fileOf(syntax: Syntax) {
  const scope = `.${PACKAGE}.${syntax}`;
  const types: readonly (readonly [Type, string])[] = [
    ...SCALARS.map((type) => [type, ""] as const),
    [Type.ENUM, `${scope}.Letter`],
    [Type.MESSAGE, `${scope}.Leaf`],
    [Type.MESSAGE, ".google.protobuf.StringValue"],
    [Type.MESSAGE, ".google.protobuf.BytesValue"],
    [Type.MESSAGE, ".google.protobuf.Struct"],
  ];
  const singular = types.map(([type, typeName], index) =>
    messageOf(
      `One${index}`,
      allNames((at) => field(at, type, { typeName })),
    ),
  );
  const lists = types.map(([type, typeName], index) =>
    messageOf(
      `Many${index}`,
      allNames((at) => field(at, type, { typeName, label: Label.REPEATED })),
    ),
  );
  const maps = types.map(([type, typeName], index) => mapMessage(syntax, `Map${index}`, type, typeName));
  const optional = types.slice(0, 8).map(([type, typeName], index) => optionalMessage(`Opt${index}`, type, typeName));
  const defaults = types.slice(0, 7).map(([type, typeName], index) =>
    messageOf(
      `Default${index}`,
      allNames((at) => field(at, type, { typeName, defaultValue: DEFAULTS.get(type)! })),
    ),
  );
  const required = types.slice(0, 8).map(([type, typeName], index) =>
    messageOf(
      `Required${index}`,
      allNames((at) => field(at, type, { typeName, label: Label.REQUIRED })),
    ),
  );
  // Of its own type too: a message that comes twice is merged.
  const leaf = messageOf("Leaf", [
    ...allNames((at) =>
      at === 1 || at === 4 ? field(at, Type.MESSAGE, { typeName: `${scope}.Leaf` }) : field(at, Type.STRING),
    ),
    { name: "text", number: 40, type: Type.STRING, label: Label.OPTIONAL },
  ]);
  return {
    name: `volant/names/${syntax}.proto`,
    package: `${PACKAGE}.${syntax}`,
    syntax,
    dependency: [file_google_protobuf_struct.proto.name, file_google_protobuf_wrappers.proto.name],
    enumType: [
      {
        name: "Letter",
        value: ["A", "B", "C"].map((name, number) => ({ name, number })),
      },
    ],
    messageType: [
      leaf,
      ...singular,
      ...lists,
      ...maps,
      ...oneofMessages(types),
      ...(syntax === "proto3" ? optional : [...defaults, ...required]),
    ],
  };
}

function schemasOf(syntax: Syntax, prefix: string): DescMessage[] {
  const file = create(FileDescriptorProtoSchema, fileOf(syntax));
  for (const { field: fields, oneofDecl } of file.messageType) {
    for (const named of [...fields, ...oneofDecl]) named.name = `${prefix}${named.name}`;
  }
  const imported = [file_google_protobuf_struct, file_google_protobuf_wrappers];
  const registry = createFileRegistry(file, (name) => imported.find(({ proto }) => proto.name === name)?.proto);
  return file.messageType.map(({ name }) => registry.getMessage(`${file.package}.${name}`)!);
}

export interface NamedType {
  readonly schema: DescMessage;
  readonly twin: DescMessage;
}

export const TYPES: readonly NamedType[] = (["proto3", "proto2"] as const).flatMap((syntax) => {
  const twins = schemasOf(syntax, "twin_");
  return schemasOf(syntax, "").map((schema, index) => ({ schema, twin: twins[index]! }));
});

/** A message of the twin as one of the type. */
export function fromTwin(message: Message, twin: DescMessage, schema: DescMessage): Message {
  const result = create(schema) as Message & Record<string, unknown>;
  const given = message as Message & Readonly<Record<string, unknown>>;
  for (const oneof of twin.oneofs) {
    const { case: name, value } = given[oneof.localName] as { readonly case?: string; readonly value?: unknown };
    const from = oneof.fields.find(({ localName }) => localName === name);
    if (from === undefined) continue;
    const to = schema.fields[twin.fields.indexOf(from)]!;
    result[to.oneof!.localName] = { case: to.localName, value: translated(value, from, to) };
  }
  for (const [index, from] of twin.fields.entries()) {
    if (from.oneof !== undefined || !Object.hasOwn(given, from.localName)) continue;
    const to = schema.fields[index]!;
    result[to.localName] = translated(given[from.localName], from, to);
  }
  if (given.$unknown !== undefined) result.$unknown = given.$unknown;
  return result;
}

function translated(value: unknown, from: DescField, to: DescField): unknown {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  if (from.message === undefined || to.message === undefined) return value;
  if (from.fieldKind === "list") return (value as Message[]).map((item) => translatedMessage(item, from, to));
  if (from.fieldKind !== "map") return translatedMessage(value as Message, from, to);
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const translation = translatedMessage(item as Message, from, to);
    Object.defineProperty(copy, key, { value: translation, enumerable: true, writable: true, configurable: true });
  }
  return copy;
}

/** A Struct in a field is JSON and stays as it is. */
function translatedMessage(value: Message, from: DescField, to: DescField): unknown {
  return value.$typeName === undefined ? value : fromTwin(value, from.message!, to.message!);
}
