/** An Echo server made of `@grpc/grpc-js`: the peer that most of our users have today. */
import type { EventEmitter } from "node:events";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type StringValue, StringValueSchema } from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";
import { methodsOf } from "../../../src/rpc/method.ts";
import { EchoService } from "./echo-service.ts";

type Text = { value: string };
type Bidi = grpc.ServerDuplexStream<StringValue, Text>;

const codec = {
  serialize: (message: Text) => Buffer.from(toBinary(StringValueSchema, create(StringValueSchema, message))),
  deserialize: (bytes: Buffer) => fromBinary(StringValueSchema, new Uint8Array(bytes)),
};

const definition = Object.fromEntries(
  methodsOf(EchoService).map(({ localName, path, kind }) => [
    localName,
    {
      path,
      requestStream: kind === "client_streaming" || kind === "bidi_streaming",
      responseStream: kind === "server_streaming" || kind === "bidi_streaming",
      requestSerialize: codec.serialize,
      requestDeserialize: codec.deserialize,
      responseSerialize: codec.serialize,
      responseDeserialize: codec.deserialize,
    },
  ]),
);

export interface GrpcJsServer {
  readonly target: string;
  /** Calls that have reached their handler, by name and request. */
  readonly opened: string[];
  /** Calls whose stream is closed, by name and request; grpc-js calls it cancelled, however it came. */
  readonly closed: string[];
  close(): void;
}

/** `value` "hang" never answers, "fail" fails with details, "flaky" is UNAVAILABLE twice, "meta" answers with the metadata it got. */
export async function startGrpcJsServer(): Promise<GrpcJsServer> {
  const server = new grpc.Server();
  const opened: string[] = [];
  const closed: string[] = [];
  const watch = (name: string, call: EventEmitter): void => {
    opened.push(name);
    call.on("cancelled", () => closed.push(name));
  };
  server.addService(definition, {
    unary(call: grpc.ServerUnaryCall<StringValue, Text>, respond: grpc.sendUnaryData<Text>) {
      watch(`unary ${call.request.value}`, call);
      const { value } = call.request;
      if (value === "hang") return;
      if (value === "fail") respond(failure());
      else if (value === "flaky") respondAtThirdAttempt(call, respond);
      else if (value === "meta") respondWithMetadata(call, respond);
      else respond(null, { value });
    },
    download(call: grpc.ServerWritableStream<StringValue, Text>) {
      watch(`download ${call.request.value}`, call);
      call.write({ value: "first" });
      if (call.request.value === "hang") return;
      call.write({ value: "second" });
      call.end();
    },
    upload(call: grpc.ServerReadableStream<StringValue, Text>, respond: grpc.sendUnaryData<Text>) {
      watch("upload", call);
      const parts: string[] = [];
      call.on("data", ({ value }: StringValue) => parts.push(value));
      call.on("end", () => respond(null, { value: parts.join() }));
    },
    chat(call: Bidi) {
      watch("chat", call);
      call.on("data", ({ value }: StringValue) => call.write({ value: `re:${value}` }));
      call.on("end", () => call.end());
    },
  });
  const credentials = grpc.ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { target: `127.0.0.1:${port}`, opened, closed, close: () => server.forceShutdown() };
}

function respondAtThirdAttempt(call: grpc.ServerUnaryCall<StringValue, Text>, respond: grpc.sendUnaryData<Text>): void {
  const attempts = call.metadata.get("grpc-previous-rpc-attempts").join();
  if (attempts === "2") respond(null, { value: attempts });
  else respond({ code: grpc.status.UNAVAILABLE, details: "busy" });
}

function respondWithMetadata(call: grpc.ServerUnaryCall<StringValue, Text>, respond: grpc.sendUnaryData<Text>): void {
  const headers = new grpc.Metadata();
  headers.set("x-header", "h");
  call.sendMetadata(headers);
  const trailers = new grpc.Metadata();
  trailers.set("x-bytes-bin", Buffer.of(0, 255, 1));
  const value = `${call.metadata.get("x-own").join("+")} ${call.metadata.get("x-own-bin").map((bytes) => (bytes as Buffer).toString("hex"))}`;
  respond(null, { value }, trailers);
}

function failure(): Partial<grpc.StatusObject> {
  const metadata = new grpc.Metadata();
  // google.rpc.Status { code: 3, message: "bad", details: [BadRequest { email: "must contain @" }] }
  const details =
    "080312036261641a460a29747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e42616452657175657374" +
    "12190a170a05656d61696c120e6d75737420636f6e7461696e2040";
  metadata.set("grpc-status-details-bin", Buffer.from(details, "hex"));
  metadata.set("x-reason", "email");
  return { code: grpc.status.INVALID_ARGUMENT, details: "bad é", metadata };
}
