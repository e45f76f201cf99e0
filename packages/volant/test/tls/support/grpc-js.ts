/** The Echo service as `@grpc/grpc-js` speaks it over TLS, in both roles. */
import type { TestContext } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type StringValue, StringValueSchema } from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";
import { methodsOf } from "../../../src/rpc/method.ts";
import { EchoService } from "../../client/support/echo-service.ts";
import type { Identity } from "./certificates.ts";

type Text = { value: string };

const serialize = (message: Text) => Buffer.from(toBinary(StringValueSchema, create(StringValueSchema, message)));
const deserialize = (bytes: Buffer) => fromBinary(StringValueSchema, new Uint8Array(bytes));

const definition = Object.fromEntries(
  methodsOf(EchoService).map(({ localName, path, kind }) => [
    localName,
    {
      path,
      requestStream: kind === "client_streaming" || kind === "bidi_streaming",
      responseStream: kind === "server_streaming" || kind === "bidi_streaming",
      requestSerialize: serialize,
      requestDeserialize: deserialize,
      responseSerialize: serialize,
      responseDeserialize: deserialize,
    },
  ]),
);

/** Its port. With `ca`, clients need a certificate that comes from it. */
export async function startGrpcJsServer(t: TestContext, identity: Identity, ca?: string): Promise<number> {
  const server = new grpc.Server();
  server.addService(definition, {
    unary(call: grpc.ServerUnaryCall<StringValue, Text>, respond: grpc.sendUnaryData<Text>) {
      respond(null, { value: call.request.value });
    },
    chat(call: grpc.ServerDuplexStream<StringValue, Text>) {
      call.on("data", ({ value }: StringValue) => call.write({ value: `re:${value}` }));
      call.on("end", () => call.end());
    },
  });
  const pair = { cert_chain: Buffer.from(identity.cert), private_key: Buffer.from(identity.key) };
  const root = ca === undefined ? null : Buffer.from(ca);
  const credentials = grpc.ServerCredentials.createSsl(root, [pair], ca !== undefined);
  t.after(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
}

export interface GrpcJsEcho {
  unary(value: string): Promise<string>;
  chat(values: readonly string[]): Promise<string[]>;
}

export function grpcJsClient(t: TestContext, target: string, ca: string, identity?: Identity): GrpcJsEcho {
  const own = identity === undefined ? [null, null] : [Buffer.from(identity.key), Buffer.from(identity.cert)];
  const credentials = grpc.credentials.createSsl(Buffer.from(ca), own[0], own[1]);
  const Client = grpc.makeGenericClientConstructor(definition, "Echo");
  const client = new Client(target, credentials);
  t.after(() => client.close());
  return {
    unary: (value) =>
      new Promise((resolve, reject) => {
        client.unary!({ value }, (error: Error | null, answer: Text) =>
          error ? reject(error) : resolve(answer.value),
        );
      }),
    async chat(values) {
      const call = client.chat!() as grpc.ClientDuplexStream<Text, Text>;
      for (const value of values) call.write({ value });
      call.end();
      const answers: string[] = [];
      for await (const { value } of call) answers.push(value);
      return answers;
    },
  };
}
