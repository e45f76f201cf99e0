/** The lab as proto-loader makes it, without types and with those that its generator writes; and a grpc-js server of it. */
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync, type MethodDefinition, type ServiceDefinition } from "@grpc/proto-loader";

const PROTO = fileURLToPath(new URL("../../proto/lab.proto", import.meta.url));

export interface Note {
  text?: string;
  number?: number;
  body?: Buffer | Uint8Array | string;
}

export interface NoteOutput {
  text: string;
  number: number;
  body: Buffer;
}

type NoteMethod = MethodDefinition<Note, Note, NoteOutput, NoteOutput>;

/** The generator does not say which side streams. */
export interface LabDefinition extends grpc.ServiceDefinition {
  Unary: NoteMethod;
  Download: NoteMethod;
  Upload: NoteMethod;
  Chat: NoteMethod;
}

export const untypedLab = loadSync(PROTO, { defaults: true })["volant.test.Lab"] as ServiceDefinition;
export const typedLab = untypedLab as unknown as LabDefinition;

type Unary = grpc.ServerUnaryCall<NoteOutput, Note>;
type Download = grpc.ServerWritableStream<NoteOutput, Note>;
type Upload = grpc.ServerReadableStream<NoteOutput, Note>;
type Chat = grpc.ServerDuplexStream<NoteOutput, Note>;
type Respond = grpc.sendUnaryData<Note>;

/** Of callbacks and event emitters; closed by the caller. */
export async function startGrpcJsLab(): Promise<{ target: string; close(): void }> {
  const server = new grpc.Server();
  server.addService(untypedLab, {
    unary: ({ request }: Unary, respond: Respond) => respond(null, { ...request, text: `echo ${request.text}` }),
    download(call: Download) {
      const { text, number } = call.request;
      for (let at = 0; at < number; at++) call.write({ text: `${text} ${at}`, number: at });
      call.end();
    },
    upload(call: Upload, respond: Respond) {
      const texts: string[] = [];
      call.on("data", ({ text }: NoteOutput) => texts.push(text));
      call.on("end", () => respond(null, { text: texts.join(","), number: texts.length }));
    },
    chat(call: Chat) {
      call.on("data", ({ text }: NoteOutput) => call.write({ text: `echo ${text}` }));
      call.on("end", () => call.end());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { target: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}
