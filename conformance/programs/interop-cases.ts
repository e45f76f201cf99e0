/**
 * The cases of gRPC's interop suite from the client's side, as doc/interop-test-descriptions.md of gRPC has them. Each is a
 * check against whatever server the channel leads to; cases that need a cloud or a proxy are not here.
 */
import assert from "node:assert/strict";
import { fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { type Channel, createClient, type Metadata, StatusCode } from "volant";
import type { StreamingOutputCallResponse, TestOrcaReportSchema } from "../gen/grpc/testing/messages_pb.ts";
import { TestService, UnimplementedService } from "../gen/grpc/testing/test_pb.ts";
import { type OrcaLoadReport, OrcaLoadReportSchema } from "../gen/xds/data/orca/v3/orca_load_report_pb.ts";
import { OpenRcaService } from "../gen/xds/service/orca/v3/orca_pb.ts";
import { INITIAL_KEY, LOAD_REPORT_KEY, TRAILING_KEY } from "./interop-service.ts";

export const LARGE_REQUEST_BYTES = 271_828;
export const LARGE_RESPONSE_BYTES = 314_159;
const REQUEST_BYTES = [27_182, 8, 1_828, 45_904] as const;
const RESPONSE_BYTES = [31_415, 9, 2_653, 58_979] as const;
const SPECIAL_MESSAGE = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
const OUT_OF_BAND_LIMIT_MS = 30_000;

export type InteropCase = (channel: Channel) => Promise<void>;

export const body = (octets: number) => ({ body: new Uint8Array(octets) });

export const largeRequest = {
  responseSize: LARGE_RESPONSE_BYTES,
  payload: body(LARGE_REQUEST_BYTES),
};

export const testClient = (channel: Channel) => createClient(TestService, channel);

/** Rejects where the call does not end with that status, and says how it did end. */
function endsWith(call: PromiseLike<unknown>, code: StatusCode, message?: string): Promise<void> {
  return assert.rejects(async () => call, message === undefined ? { code } : { code, message });
}

async function next(answers: AsyncIterator<StreamingOutputCallResponse>): Promise<number | undefined> {
  const { done, value } = await answers.next();
  return done === true ? undefined : value.payload?.body.length;
}

async function emptyUnary(channel: Channel): Promise<void> {
  await testClient(channel).emptyCall({});
}

async function largeUnary(channel: Channel): Promise<void> {
  const { payload } = await testClient(channel).unaryCall(largeRequest);
  assert.equal(payload?.body.length, LARGE_RESPONSE_BYTES);
}

async function cacheableUnary(channel: Channel): Promise<void> {
  const options = { metadata: { "x-user-ip": "1.2.3.4" } };
  const { payload } = await testClient(channel).cacheableUnaryCall({ responseSize: 64, payload: body(8) }, options);
  assert.equal(payload?.body.length, 64);
}

async function clientStreaming(channel: Channel): Promise<void> {
  const requests = REQUEST_BYTES.map((octets) => ({ payload: body(octets) }));
  const { aggregatedPayloadSize } = await testClient(channel).streamingInputCall(requests);
  assert.equal(aggregatedPayloadSize, 74_922);
}

async function serverStreaming(channel: Channel): Promise<void> {
  const responseParameters = RESPONSE_BYTES.map((size) => ({ size }));
  const received: (number | undefined)[] = [];
  for await (const { payload } of testClient(channel).streamingOutputCall({ responseParameters })) {
    received.push(payload?.body.length);
  }
  assert.deepEqual(received, RESPONSE_BYTES);
}

async function pingPong(channel: Channel): Promise<void> {
  const call = testClient(channel).fullDuplexCall();
  const answers = call[Symbol.asyncIterator]();
  for (const [at, size] of RESPONSE_BYTES.entries()) {
    await call.send({ responseParameters: [{ size }], payload: body(REQUEST_BYTES[at]!) });
    assert.equal(await next(answers), size);
  }
  call.end();
  assert.equal(await next(answers), undefined);
}

async function emptyStream(channel: Channel): Promise<void> {
  for await (const _ of testClient(channel).fullDuplexCall([])) assert.fail("a message that nobody asked for");
}

async function timeoutOnSleepingServer(channel: Channel): Promise<void> {
  const call = testClient(channel).fullDuplexCall(undefined, { timeoutMs: 1 });
  // The call may be over before there is room to write; reading it tells.
  call.send({ payload: body(27_182) }).catch(() => undefined);
  await endsWith(call[Symbol.asyncIterator]().next(), StatusCode.DEADLINE_EXCEEDED);
}

async function cancelAfterBegin(channel: Channel): Promise<void> {
  const call = testClient(channel).streamingInputCall();
  call.cancel();
  await endsWith(call, StatusCode.CANCELLED);
}

async function cancelAfterFirstResponse(channel: Channel): Promise<void> {
  const call = testClient(channel).fullDuplexCall();
  const answers = call[Symbol.asyncIterator]();
  await call.send({ responseParameters: [{ size: 31_415 }], payload: body(27_182) });
  assert.equal(await next(answers), 31_415);
  call.cancel();
  await endsWith(answers.next(), StatusCode.CANCELLED);
}

async function statusCodeAndMessage(channel: Channel): Promise<void> {
  const client = testClient(channel);
  const responseStatus = { code: 2, message: "test status message" };
  await endsWith(client.unaryCall({ responseStatus }), StatusCode.UNKNOWN, responseStatus.message);
  const answers = client.fullDuplexCall([{ responseStatus }])[Symbol.asyncIterator]();
  await endsWith(answers.next(), StatusCode.UNKNOWN, responseStatus.message);
}

async function specialStatusMessage(channel: Channel): Promise<void> {
  const responseStatus = { code: 2, message: SPECIAL_MESSAGE };
  await endsWith(testClient(channel).unaryCall({ responseStatus }), StatusCode.UNKNOWN, SPECIAL_MESSAGE);
}

async function customMetadata(channel: Channel): Promise<void> {
  const initial = "test_initial_metadata_value";
  const trailing = Uint8Array.of(0xab, 0xab, 0xab);
  const seen: { headers?: Metadata; trailers?: Metadata } = {};
  const options = {
    metadata: { [INITIAL_KEY]: initial, [TRAILING_KEY]: trailing },
    onHeaders: (headers: Metadata) => Object.assign(seen, { headers }),
    onTrailers: (trailers: Metadata) => Object.assign(seen, { trailers }),
  };
  const check = (): void => {
    assert.deepEqual(seen.headers?.getAll(INITIAL_KEY), [initial]);
    assert.deepEqual(
      seen.trailers?.getAll(TRAILING_KEY).map((octets) => [...octets]),
      [[...trailing]],
    );
    delete seen.headers;
    delete seen.trailers;
  };
  const client = testClient(channel);
  await client.unaryCall({ responseSize: 1, payload: body(1) }, options);
  check();
  const requests = [{ responseParameters: [{ size: 1 }], payload: body(1) }];
  let count = 0;
  for await (const _ of client.fullDuplexCall(requests, options)) count++;
  assert.equal(count, 1);
  check();
}

async function unimplementedMethod(channel: Channel): Promise<void> {
  await endsWith(testClient(channel).unimplementedCall({}), StatusCode.UNIMPLEMENTED);
}

async function unimplementedService(channel: Channel): Promise<void> {
  const call = createClient(UnimplementedService, channel).unimplementedCall({});
  await endsWith(call, StatusCode.UNIMPLEMENTED);
}

/** A server that does not say who it is is told by its address instead: the channel has one backend. */
async function pickFirstUnary(channel: Channel): Promise<void> {
  const ids = new Set<string>();
  for (let count = 0; count < 100; count++) {
    const { serverId } = await testClient(channel).unaryCall({ responseSize: 1, payload: body(1), fillServerId: true });
    ids.add(serverId);
  }
  assert.equal(ids.size, 1);
  assert.equal(channel.state, "READY");
}

type TestReport = MessageInitShape<typeof TestOrcaReportSchema>;

function assertReport(report: OrcaLoadReport, expected: TestReport): void {
  const { cpuUtilization, memUtilization: memoryUtilization, requestCost, utilization } = report;
  assert.deepEqual({ cpuUtilization, memoryUtilization, requestCost, utilization }, { requestCost: {}, ...expected });
}

async function orcaPerRpc(channel: Channel): Promise<void> {
  const orcaPerQueryReport = {
    cpuUtilization: 0.821,
    memoryUtilization: 0.5847,
    requestCost: { cost: 3456.32 },
    utilization: { util: 0.30499 },
  };
  let octets: Uint8Array | undefined;
  const onTrailers = (trailers: Metadata): void => {
    octets = trailers.get(LOAD_REPORT_KEY);
  };
  await testClient(channel).unaryCall({ orcaPerQueryReport }, { onTrailers });
  assert.ok(octets !== undefined, `no ${LOAD_REPORT_KEY} among the trailers`);
  assertReport(fromBinary(OrcaLoadReportSchema, octets), orcaPerQueryReport);
}

async function orcaOutOfBand(channel: Channel): Promise<void> {
  const call = testClient(channel).fullDuplexCall();
  const answers = call[Symbol.asyncIterator]();
  const reports = createClient(OpenRcaService, channel).streamCoreMetrics(
    { reportInterval: { seconds: 1n } },
    { timeoutMs: OUT_OF_BAND_LIMIT_MS },
  );
  const received = reports[Symbol.asyncIterator]();
  const first = { cpuUtilization: 0.821, memoryUtilization: 0.5847, utilization: { util: 0.30499 } };
  const second = { cpuUtilization: 0.29309, memoryUtilization: 0.2, utilization: { util: 0.2039 } };
  for (const expected of [first, second]) {
    await call.send({ orcaOobReport: expected, responseParameters: [{ size: 1 }] });
    await next(answers);
    let report: OrcaLoadReport;
    do {
      const { done, value } = await received.next();
      assert.ok(done !== true, "the reports ended");
      report = value;
    } while (report.cpuUtilization !== expected.cpuUtilization);
    assertReport(report, expected);
  }
  reports.cancel();
  call.end();
  assert.equal(await next(answers), undefined);
}

/** By the names that every implementation's client knows. */
export const INTEROP_CASES = {
  empty_unary: emptyUnary,
  large_unary: largeUnary,
  client_streaming: clientStreaming,
  server_streaming: serverStreaming,
  ping_pong: pingPong,
  empty_stream: emptyStream,
  timeout_on_sleeping_server: timeoutOnSleepingServer,
  cancel_after_begin: cancelAfterBegin,
  cancel_after_first_response: cancelAfterFirstResponse,
  status_code_and_message: statusCodeAndMessage,
  special_status_message: specialStatusMessage,
  custom_metadata: customMetadata,
  unimplemented_method: unimplementedMethod,
  unimplemented_service: unimplementedService,
  pick_first_unary: pickFirstUnary,
  orca_per_rpc: orcaPerRpc,
  orca_oob: orcaOutOfBand,
  cacheable_unary: cacheableUnary,
} as const satisfies Readonly<Record<string, InteropCase>>;

export type InteropCaseName = keyof typeof INTEROP_CASES;
