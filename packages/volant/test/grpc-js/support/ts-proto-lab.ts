/** The lab as ts-proto writes it with `outputServices=grpc-js`: a constant with camelCase keys and plain objects as messages. */
import { type Note, readNote, writeNote } from "./note-wire.ts";

const codec = {
  requestSerialize: (value: Note): Buffer => Buffer.from(writeNote(value)),
  requestDeserialize: (value: Buffer): Note => readNote(value),
  responseSerialize: (value: Note): Buffer => Buffer.from(writeNote(value)),
  responseDeserialize: (value: Buffer): Note => readNote(value),
};

export type LabService = typeof LabService;
export const LabService = {
  unary: {
    path: "/volant.test.Lab/Unary" as const,
    requestStream: false as const,
    responseStream: false as const,
    ...codec,
  },
  download: {
    path: "/volant.test.Lab/Download" as const,
    requestStream: false as const,
    responseStream: true as const,
    ...codec,
  },
  upload: {
    path: "/volant.test.Lab/Upload" as const,
    requestStream: true as const,
    responseStream: false as const,
    ...codec,
  },
  chat: {
    path: "/volant.test.Lab/Chat" as const,
    requestStream: true as const,
    responseStream: true as const,
    ...codec,
  },
} as const;
