/**
 * The client under test of connectrpc's conformance suite: reads calls to make from standard input, several of them at a
 * time, and writes what came of each to standard output. Ends when its input does and the last call is over.
 */
import { create } from "@bufbuild/protobuf";
import { Channel, type ChannelOptions, createClient } from "volant";
import {
  type ClientCompatRequest,
  ClientCompatRequestSchema,
  type ClientCompatResponse,
  ClientCompatResponseSchema,
} from "../gen/connectrpc/conformance/v1/client_compat_pb.ts";
import { Compression } from "../gen/connectrpc/conformance/v1/config_pb.ts";
import { ConformanceService } from "../gen/connectrpc/conformance/v1/service_pb.ts";
import { invoke } from "./connect-call.ts";
import { readMessages, writeMessage } from "./connect-messages.ts";

const CALLS_AT_ONCE = 8;

function channelOptions(request: ClientCompatRequest): ChannelOptions {
  const { serverTlsCert, clientTlsCreds, messageReceiveLimit, compression } = request;
  const identity = clientTlsCreds && { cert: clientTlsCreds.cert, key: clientTlsCreds.key };
  return {
    ...(serverTlsCert.length > 0 && { tls: { ca: serverTlsCert, ...identity } }),
    ...(compression === Compression.GZIP && { compression: { send: "gzip", minBytes: 0 } }),
    ...(messageReceiveLimit > 0 && { maxReceiveMessageBytes: messageReceiveLimit }),
  };
}

async function answer(request: ClientCompatRequest): Promise<ClientCompatResponse> {
  const { testName, host, port } = request;
  try {
    await using channel = new Channel(`${host}:${port}`, channelOptions(request));
    const value = await invoke(createClient(ConformanceService, channel), request);
    return create(ClientCompatResponseSchema, { testName, result: { case: "response", value } });
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return create(ClientCompatResponseSchema, { testName, result: { case: "error", value: { message } } });
  }
}

const running = new Set<Promise<void>>();
for await (const request of readMessages(ClientCompatRequestSchema, process.stdin)) {
  const call = answer(request).then((response) => {
    writeMessage(ClientCompatResponseSchema, response);
    running.delete(call);
  });
  running.add(call);
  if (running.size >= CALLS_AT_ONCE) await Promise.race(running);
}
await Promise.all(running);
