/** `volant.test.Note` written and read by hand, as generators without descriptors do; `body` is a view of what was read. */
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";

export interface Note {
  text: string;
  number: number;
  body: Uint8Array;
}

export function writeNote({ text, number, body }: Note): Uint8Array {
  const writer = new BinaryWriter();
  if (text !== "") writer.uint32(10).string(text);
  if (number !== 0) writer.uint32(16).int32(number);
  if (body.length > 0) writer.uint32(26).bytes(body);
  return writer.finish();
}

export function readNote(bytes: Uint8Array): Note {
  const reader = new BinaryReader(bytes);
  const note: Note = { text: "", number: 0, body: new Uint8Array() };
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) note.text = reader.string();
    else if (field === 2) note.number = reader.int32();
    else if (field === 3) note.body = reader.bytes();
    else reader.skip(wireType, field);
  }
  return note;
}
