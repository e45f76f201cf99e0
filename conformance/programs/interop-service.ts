/**
 * gRPC's interop TestService, and the load reports (ORCA) that two of its cases look at. Behaviour is that of
 * doc/interop-test-descriptions.md of gRPC. `unimplementedCall` has no handler on purpose.
 *
 * Load reports are no feature of the library: here they are written by hand, into a trailer and a service of their own.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { type Handlers, RpcError, type Server, type ServerCall, StatusCode } from "volant";
import type { BoolValue, EchoStatus, ResponseParameters, TestOrcaReport } from "../gen/grpc/testing/messages_pb.ts";
import { TestService } from "../gen/grpc/testing/test_pb.ts";
import { type OrcaLoadReport, OrcaLoadReportSchema } from "../gen/xds/data/orca/v3/orca_load_report_pb.ts";
import { OpenRcaService } from "../gen/xds/service/orca/v3/orca_pb.ts";

export const INITIAL_KEY = "x-grpc-test-echo-initial";
export const TRAILING_KEY = "x-grpc-test-echo-trailing-bin";
export const LOAD_REPORT_KEY = "endpoint-load-metrics-bin";

const SHORTEST_REPORT_MS = 100;

/** Whether the next request message of the call's connection was compressed; undefined where nobody looks. */
export type RequestWatch = (call: ServerCall) => boolean | undefined;

/** Adds the services of the interop cases to a server. With `watch` it can tell whether requests were compressed. */
export function addInteropServices(server: Server, watch: RequestWatch = () => undefined): void {
  const load = new ServerLoad();
  server.add(TestService, testHandlers(load, watch), { partial: true });
  server.add(OpenRcaService, {
    async *streamCoreMetrics({ reportInterval }, call) {
      const everyMs = Math.max(reportInterval === undefined ? 0 : durationMs(reportInterval), SHORTEST_REPORT_MS);
      for (;;) {
        yield load.report;
        await delay(everyMs, undefined, { signal: call.signal });
      }
    },
  });
}

/** What the server reports of itself out of band. One call at a time may set it, so that clients do not mix. */
class ServerLoad {
  report: OrcaLoadReport = create(OrcaLoadReportSchema);
  private owner: ServerCall | undefined;
  private readonly waiting: (() => void)[] = [];

  async set(call: ServerCall, report: OrcaLoadReport): Promise<void> {
    while (this.owner !== undefined && this.owner !== call) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    if (this.owner === undefined) {
      this.owner = call;
      call.onEnd(() => {
        this.owner = undefined;
        for (const resume of this.waiting.splice(0)) resume();
      });
    }
    this.report = report;
  }
}

function testHandlers(load: ServerLoad, watch: RequestWatch): Partial<Handlers<typeof TestService>> {
  const serverId = `volant-${process.pid}`;
  return {
    emptyCall: () => ({}),
    unaryCall(request, call) {
      requireCompressed(request.expectCompressed, watch(call));
      if (request.responseCompressed?.value === true) call.compression = "gzip";
      echoMetadata(call);
      throwStatus(request.responseStatus);
      const { orcaPerQueryReport: perCall } = request;
      if (perCall !== undefined)
        call.trailers.set(LOAD_REPORT_KEY, toBinary(OrcaLoadReportSchema, loadReport(perCall)));
      return { payload: zeros(request.responseSize), ...(request.fillServerId && { serverId }) };
    },
    cacheableUnaryCall(request, call) {
      echoMetadata(call);
      call.headers.set("cache-control", "max-age=60, public");
      return { payload: zeros(request.responseSize) };
    },
    async *streamingOutputCall({ responseParameters, responseStatus }, call) {
      echoMetadata(call);
      if (responseParameters.some(({ compressed }) => compressed?.value === true)) call.compression = "gzip";
      for (const parameters of responseParameters) yield await response(call, parameters);
      throwStatus(responseStatus);
    },
    async streamingInputCall(requests, call) {
      let aggregatedPayloadSize = 0;
      for await (const { payload, expectCompressed } of requests) {
        requireCompressed(expectCompressed, watch(call));
        aggregatedPayloadSize += payload?.body.length ?? 0;
      }
      return { aggregatedPayloadSize };
    },
    async *fullDuplexCall(requests, call) {
      echoMetadata(call);
      for await (const { responseParameters, responseStatus, orcaOobReport } of requests) {
        throwStatus(responseStatus);
        if (orcaOobReport !== undefined) await load.set(call, loadReport(orcaOobReport));
        for (const parameters of responseParameters) yield await response(call, parameters);
      }
    },
    async *halfDuplexCall(requests, call) {
      const asked: ResponseParameters[] = [];
      for await (const { responseParameters } of requests) asked.push(...responseParameters);
      for (const parameters of asked) yield await response(call, parameters);
    },
  };
}

function echoMetadata({ metadata, headers, trailers }: ServerCall): void {
  const initial = metadata.get(INITIAL_KEY);
  const trailing = metadata.get(TRAILING_KEY);
  if (initial !== undefined) headers.set(INITIAL_KEY, initial);
  if (trailing !== undefined) trailers.set(TRAILING_KEY, trailing);
}

function throwStatus(status: EchoStatus | undefined): void {
  if (status !== undefined && status.code !== 0) throw new RpcError(status.code as StatusCode, status.message);
}

function requireCompressed(expected: BoolValue | undefined, isCompressed: boolean | undefined): void {
  if (expected === undefined || isCompressed === undefined || expected.value === isCompressed) return;
  const was = isCompressed ? "compressed" : "not compressed";
  throw new RpcError(StatusCode.INVALID_ARGUMENT, `the message was ${was}`);
}

async function response(call: ServerCall, { size, intervalUs, compressed }: ResponseParameters) {
  if (intervalUs > 0) await delay(intervalUs / 1_000, undefined, { signal: call.signal });
  // A message that compression would not make smaller goes as it is, which is how one of a compressed call is left plain.
  if (compressed?.value === false) return { payload: { body: randomBytes(size) } };
  return { payload: zeros(size) };
}

function zeros(size: number) {
  if (size < 0) throw new RpcError(StatusCode.INVALID_ARGUMENT, `a response of ${size} octets is asked for`);
  return { body: new Uint8Array(size) };
}

function loadReport({ cpuUtilization, memoryUtilization, requestCost, utilization }: TestOrcaReport): OrcaLoadReport {
  return create(OrcaLoadReportSchema, { cpuUtilization, memUtilization: memoryUtilization, requestCost, utilization });
}
