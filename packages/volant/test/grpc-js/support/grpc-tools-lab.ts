/**
 * The lab as grpc-tools writes it: messages are classes with getters and setters, serializers insist on them, and the types
 * beside the code are interfaces with an index signature.
 */
import type { MethodDefinition, ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import { readNote, writeNote } from "./note-wire.ts";

export class NoteMessage {
  private readonly fields = readNote(new Uint8Array());

  static deserializeBinary(bytes: Uint8Array): NoteMessage {
    const note = new NoteMessage();
    Object.assign(note.fields, readNote(bytes));
    return note;
  }

  getText(): string {
    return this.fields.text;
  }

  setText(value: string): this {
    this.fields.text = value;
    return this;
  }

  getNumber(): number {
    return this.fields.number;
  }

  setNumber(value: number): this {
    this.fields.number = value;
    return this;
  }

  serializeBinary(): Uint8Array {
    return writeNote(this.fields);
  }
}

function serialize(argument: NoteMessage): Buffer {
  if (!(argument instanceof NoteMessage)) throw new Error("Expected argument of type volant.test.Note");
  return Buffer.from(argument.serializeBinary());
}

function deserialize(bytes: Buffer): NoteMessage {
  return NoteMessage.deserializeBinary(new Uint8Array(bytes));
}

interface Unary extends MethodDefinition<NoteMessage, NoteMessage> {
  requestStream: false;
  responseStream: false;
}

interface Download extends MethodDefinition<NoteMessage, NoteMessage> {
  requestStream: false;
  responseStream: true;
}

interface Upload extends MethodDefinition<NoteMessage, NoteMessage> {
  requestStream: true;
  responseStream: false;
}

interface Chat extends MethodDefinition<NoteMessage, NoteMessage> {
  requestStream: true;
  responseStream: true;
}

interface ILabService extends ServiceDefinition<UntypedServiceImplementation> {
  unary: Unary;
  download: Download;
  upload: Upload;
  chat: Chat;
}

const codec = {
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
};

export const LabService: ILabService = {
  unary: { path: "/volant.test.Lab/Unary", requestStream: false, responseStream: false, ...codec },
  download: { path: "/volant.test.Lab/Download", requestStream: false, responseStream: true, ...codec },
  upload: { path: "/volant.test.Lab/Upload", requestStream: true, responseStream: false, ...codec },
  chat: { path: "/volant.test.Lab/Chat", requestStream: true, responseStream: true, ...codec },
};
