/**
 * The server under test of connectrpc's conformance suite: reads one request about how to serve from standard input, serves
 * on a free port of 127.0.0.1, says where on standard output, and runs until it is ended.
 */
import { create } from "@bufbuild/protobuf";
import { type ListenOptions, Server } from "volant";
import {
  type ServerCompatRequest,
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from "../gen/connectrpc/conformance/v1/server_compat_pb.ts";
import { ConformanceService } from "../gen/connectrpc/conformance/v1/service_pb.ts";
import { readMessages, writeMessage } from "./connect-messages.ts";
import { conformanceHandlers } from "./connect-service.ts";

const HOST = "127.0.0.1";

type Tls = NonNullable<ListenOptions["tls"]>;

function tlsOf({ useTls, serverCreds, clientTlsCert }: ServerCompatRequest): Tls | undefined {
  if (!useTls) return undefined;
  if (serverCreds === undefined) throw new Error("TLS is asked for without a certificate");
  const { cert, key } = serverCreds;
  return clientTlsCert.length > 0 ? { cert, key, ca: clientTlsCert, requestClientCert: "require" } : { cert, key };
}

async function serve(request: ServerCompatRequest): Promise<void> {
  const limit = request.messageReceiveLimit;
  // Answers are compressed wherever the client takes that, and most of what it sends is small.
  const compression = { send: "gzip", minBytes: 0 } as const;
  const server = new Server({ compression, ...(limit > 0 && { maxReceiveMessageBytes: limit }) });
  server.add(ConformanceService, conformanceHandlers, { partial: true });
  const tls = tlsOf(request);
  const { port } = await server.listen({ host: HOST, ...(tls !== undefined && { tls }) });
  const pemCert = tls === undefined ? {} : { pemCert: request.serverCreds!.cert };
  writeMessage(ServerCompatResponseSchema, create(ServerCompatResponseSchema, { host: HOST, port, ...pemCert }));
}

for await (const request of readMessages(ServerCompatRequestSchema, process.stdin)) {
  await serve(request);
  break;
}
