/** The lab's service as `@grpc/grpc-js` calls it, for proof by another implementation. */
import { fileURLToPath } from "node:url";
import {
  type CallOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  loadPackageDefinition,
  type Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { Lab } from "../../../src/testing/index.ts";

export interface PlainNote {
  text?: string;
  number?: number;
  body?: Buffer;
}

type Callback = (error: ServiceError | null, note?: PlainNote) => void;

export interface GrpcJsLab {
  unary(request: PlainNote, metadata: Metadata, options: CallOptions, callback: Callback): ClientWritableStream<never>;
  download(request: PlainNote, metadata?: Metadata, options?: CallOptions): ClientReadableStream<PlainNote>;
  upload(metadata: Metadata, options: CallOptions, callback: Callback): ClientWritableStream<PlainNote>;
  chat(metadata?: Metadata, options?: CallOptions): ClientDuplexStream<PlainNote, PlainNote>;
  /** Connected, or given up at `deadlineMs` since 1970. */
  waitForReady(deadlineMs: number, callback: (error?: Error) => void): void;
  close(): void;
}

const PROTO = fileURLToPath(new URL("../../proto/lab.proto", import.meta.url));

/** Closed at the end of the test. */
export function grpcJsClient(lab: Lab): GrpcJsLab {
  const definition = loadPackageDefinition(loadSync(PROTO)) as unknown as {
    volant: { test: { Lab: new (target: string, creds: unknown) => GrpcJsLab } };
  };
  const client = new definition.volant.test.Lab(lab.target, credentials.createInsecure());
  lab.defer(() => client.close());
  return client;
}
