"""gRPC's interop suite on grpcio (C-core), as a server and as a client.

    interop_peer.py server PROTOS PORT [CERT_FILE KEY_FILE]
    interop_peer.py client PROTOS PORT CASE [CA_FILE NAME]

PROTOS is the folder with grpc/testing and xds. The server runs until it is ended; the client ends with 0 where the case
passed and says on standard error what was wrong where it did not. Behaviour is that of gRPC's
doc/interop-test-descriptions.md.
"""

import os
import sys
import threading
import time
from concurrent import futures

import grpc

sys.path.insert(0, sys.argv[2])
# Code for grpc/testing/*.proto is imported from the package grpc.testing, and grpc is a package already.
grpc.__path__.append(os.path.join(sys.argv[2], "grpc"))
messages, _ = grpc.protos_and_services("grpc/testing/messages.proto")
empty, _ = grpc.protos_and_services("grpc/testing/empty.proto")
_, testing = grpc.protos_and_services("grpc/testing/test.proto")
load_report, _ = grpc.protos_and_services("xds/data/orca/v3/orca_load_report.proto")
orca, orca_services = grpc.protos_and_services("xds/service/orca/v3/orca.proto")

INITIAL_KEY = "x-grpc-test-echo-initial"
TRAILING_KEY = "x-grpc-test-echo-trailing-bin"
LOAD_REPORT_KEY = "endpoint-load-metrics-bin"
LARGE_REQUEST = 271828
LARGE_RESPONSE = 314159
REQUESTS = (27182, 8, 1828, 45904)
RESPONSES = (31415, 9, 2653, 58979)
CODES = {code.value[0]: code for code in grpc.StatusCode}
SPECIAL_MESSAGE = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"


def payload(size):
    return messages.Payload(body=bytes(size))


def report_of(test_report):
    return load_report.OrcaLoadReport(
        cpu_utilization=test_report.cpu_utilization,
        mem_utilization=test_report.memory_utilization,
        request_cost=test_report.request_cost,
        utilization=test_report.utilization,
    )


# The server


class Load:
    """What the server reports of itself out of band. One call at a time may set it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.report = load_report.OrcaLoadReport()


def echo_metadata(context):
    received = dict(context.invocation_metadata())
    if INITIAL_KEY in received:
        context.send_initial_metadata(((INITIAL_KEY, received[INITIAL_KEY]),))
    if TRAILING_KEY in received:
        context.set_trailing_metadata(((TRAILING_KEY, received[TRAILING_KEY]),))


def raise_status(request, context):
    if request.HasField("response_status") and request.response_status.code != 0:
        context.abort(CODES[request.response_status.code], request.response_status.message)


class TestService(testing.TestServiceServicer):
    def __init__(self, load):
        self.load = load

    def EmptyCall(self, request, context):
        return empty.Empty()

    def UnaryCall(self, request, context):
        if request.response_compressed.value:
            context.set_compression(grpc.Compression.Gzip)
        echo_metadata(context)
        raise_status(request, context)
        if request.HasField("orca_per_query_report"):
            octets = report_of(request.orca_per_query_report).SerializeToString()
            context.set_trailing_metadata(((LOAD_REPORT_KEY, octets),))
        response = messages.SimpleResponse(payload=payload(request.response_size))
        if request.fill_server_id:
            response.server_id = "python-%d" % os.getpid()
        return response

    def CacheableUnaryCall(self, request, context):
        return messages.SimpleResponse(payload=payload(request.response_size))

    def answer(self, parameters, context):
        for each in parameters:
            if each.interval_us > 0:
                time.sleep(each.interval_us / 1e6)
            if each.HasField("compressed") and not each.compressed.value:
                context.disable_next_message_compression()
            yield messages.StreamingOutputCallResponse(payload=payload(each.size))

    def StreamingOutputCall(self, request, context):
        if any(each.compressed.value for each in request.response_parameters):
            context.set_compression(grpc.Compression.Gzip)
        yield from self.answer(request.response_parameters, context)

    def StreamingInputCall(self, requests, context):
        total = sum(len(request.payload.body) for request in requests)
        return messages.StreamingInputCallResponse(aggregated_payload_size=total)

    def FullDuplexCall(self, requests, context):
        echo_metadata(context)
        owns_load = False
        try:
            for request in requests:
                raise_status(request, context)
                if request.HasField("orca_oob_report"):
                    owns_load = owns_load or self.load.lock.acquire()
                    self.load.report = report_of(request.orca_oob_report)
                yield from self.answer(request.response_parameters, context)
        finally:
            if owns_load:
                self.load.lock.release()

    def HalfDuplexCall(self, requests, context):
        for request in list(requests):
            yield from self.answer(request.response_parameters, context)


class OpenRcaService(orca_services.OpenRcaServiceServicer):
    def __init__(self, load):
        self.load = load

    def StreamCoreMetrics(self, request, context):
        every = max(request.report_interval.ToTimedelta().total_seconds(), 0.1)
        while context.is_active():
            yield self.load.report
            time.sleep(every)


def serve(port, cert_file=None, key_file=None):
    load = Load()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=32))
    testing.add_TestServiceServicer_to_server(TestService(load), server)
    orca_services.add_OpenRcaServiceServicer_to_server(OpenRcaService(load), server)
    address = "127.0.0.1:%s" % port
    if cert_file is None:
        server.add_insecure_port(address)
    else:
        with open(cert_file, "rb") as cert, open(key_file, "rb") as key:
            server.add_secure_port(address, grpc.ssl_server_credentials([(key.read(), cert.read())]))
    server.start()
    server.wait_for_termination()


# The client


class Mismatch(Exception):
    """A case went otherwise than it must."""


def expect(condition, what):
    if not condition:
        raise Mismatch(what)


def expect_status(action, code, message=None):
    try:
        action()
    except grpc.RpcError as error:
        expect(error.code() == code, "%s instead of %s" % (error.code(), code))
        expect(message is None or error.details() == message, "the message is %r" % error.details())
        return
    raise Mismatch("OK instead of %s" % code)


class Requests:
    """An iterator of requests that can be written into while the call runs."""

    END = object()

    def __init__(self):
        self.queue = []
        self.changed = threading.Condition()

    def send(self, request):
        with self.changed:
            self.queue.append(request)
            self.changed.notify()

    def end(self):
        self.send(self.END)

    def __iter__(self):
        return self

    def __next__(self):
        with self.changed:
            while not self.queue:
                self.changed.wait()
            request = self.queue.pop(0)
        if request is self.END:
            raise StopIteration
        return request


def output_request(*sizes, **fields):
    parameters = [messages.ResponseParameters(size=size) for size in sizes]
    return messages.StreamingOutputCallRequest(response_parameters=parameters, **fields)


def empty_unary(stub, channel):
    expect(stub.EmptyCall(empty.Empty()) == empty.Empty(), "the answer is not empty")


def large_unary(stub, channel):
    response = stub.UnaryCall(
        messages.SimpleRequest(response_size=LARGE_RESPONSE, payload=payload(LARGE_REQUEST))
    )
    expect(len(response.payload.body) == LARGE_RESPONSE, "%d octets" % len(response.payload.body))


def cacheable_unary(stub, channel):
    response = stub.CacheableUnaryCall(
        messages.SimpleRequest(response_size=64, payload=payload(8)), metadata=(("x-user-ip", "1.2.3.4"),)
    )
    expect(len(response.payload.body) == 64, "%d octets" % len(response.payload.body))


def client_streaming(stub, channel):
    requests = (messages.StreamingInputCallRequest(payload=payload(size)) for size in REQUESTS)
    expect(stub.StreamingInputCall(requests).aggregated_payload_size == sum(REQUESTS), "the sum is wrong")


def server_streaming(stub, channel):
    sizes = [len(response.payload.body) for response in stub.StreamingOutputCall(output_request(*RESPONSES))]
    expect(sizes == list(RESPONSES), "the sizes are %s" % sizes)


def ping_pong(stub, channel):
    requests = Requests()
    responses = stub.FullDuplexCall(requests)
    for request_size, response_size in zip(REQUESTS, RESPONSES):
        requests.send(output_request(response_size, payload=payload(request_size)))
        expect(len(next(responses).payload.body) == response_size, "a size is wrong")
    requests.end()
    expect(not list(responses), "a message too many")


def empty_stream(stub, channel):
    expect(not list(stub.FullDuplexCall(iter(()))), "a message that nobody asked for")


def timeout_on_sleeping_server(stub, channel):
    requests = Requests()
    responses = stub.FullDuplexCall(requests, timeout=0.001)
    requests.send(messages.StreamingOutputCallRequest(payload=payload(27182)))
    expect_status(lambda: next(responses), grpc.StatusCode.DEADLINE_EXCEEDED)
    requests.end()


def cancel_after_begin(stub, channel):
    requests = Requests()
    call = stub.StreamingInputCall.future(requests)
    call.cancel()
    expect(call.cancelled(), "not cancelled")
    expect(call.code() == grpc.StatusCode.CANCELLED, "%s" % call.code())
    requests.end()


def cancel_after_first_response(stub, channel):
    requests = Requests()
    responses = stub.FullDuplexCall(requests)
    requests.send(output_request(31415, payload=payload(27182)))
    expect(len(next(responses).payload.body) == 31415, "a size is wrong")
    responses.cancel()
    expect_status(lambda: next(responses), grpc.StatusCode.CANCELLED)
    requests.end()


def status_code_and_message(stub, channel):
    status = messages.EchoStatus(code=2, message="test status message")
    unary = messages.SimpleRequest(response_status=status)
    expect_status(lambda: stub.UnaryCall(unary), grpc.StatusCode.UNKNOWN, status.message)
    stream = stub.FullDuplexCall(iter([messages.StreamingOutputCallRequest(response_status=status)]))
    expect_status(lambda: next(stream), grpc.StatusCode.UNKNOWN, status.message)


def special_status_message(stub, channel):
    status = messages.EchoStatus(code=2, message=SPECIAL_MESSAGE)
    request = messages.SimpleRequest(response_status=status)
    expect_status(lambda: stub.UnaryCall(request), grpc.StatusCode.UNKNOWN, SPECIAL_MESSAGE)


def custom_metadata(stub, channel):
    initial = (INITIAL_KEY, "test_initial_metadata_value")
    trailing = (TRAILING_KEY, b"\xab\xab\xab")

    def check(call):
        expect(initial in [tuple(pair) for pair in call.initial_metadata()], "the headers lack the echo")
        expect(trailing in [tuple(pair) for pair in call.trailing_metadata()], "the trailers lack the echo")

    unary = messages.SimpleRequest(response_size=1, payload=payload(1))
    _, call = stub.UnaryCall.with_call(unary, metadata=(initial, trailing))
    check(call)
    stream = stub.FullDuplexCall(iter([output_request(1, payload=payload(1))]), metadata=(initial, trailing))
    expect(len(list(stream)) == 1, "not one answer")
    check(stream)


def unimplemented_method(stub, channel):
    expect_status(lambda: stub.UnimplementedCall(empty.Empty()), grpc.StatusCode.UNIMPLEMENTED)


def unimplemented_service(stub, channel):
    other = testing.UnimplementedServiceStub(channel)
    expect_status(lambda: other.UnimplementedCall(empty.Empty()), grpc.StatusCode.UNIMPLEMENTED)


def pick_first_unary(stub, channel):
    request = messages.SimpleRequest(response_size=1, payload=payload(1), fill_server_id=True)
    ids = {stub.UnaryCall(request).server_id for _ in range(100)}
    expect(len(ids) == 1 and "" not in ids, "the servers are %s" % ids)


def orca_per_rpc(stub, channel):
    report = messages.TestOrcaReport(
        cpu_utilization=0.821, memory_utilization=0.5847, request_cost={"cost": 3456.32}, utilization={"util": 0.30499}
    )
    _, call = stub.UnaryCall.with_call(messages.SimpleRequest(orca_per_query_report=report))
    octets = dict(call.trailing_metadata()).get(LOAD_REPORT_KEY)
    expect(octets is not None, "no load report among the trailers")
    received = load_report.OrcaLoadReport.FromString(octets)
    expect(received == report_of(report), "the report is %s" % received)


def orca_oob(stub, channel):
    requests = Requests()
    responses = stub.FullDuplexCall(requests)
    interval = orca.OrcaLoadReportRequest()
    interval.report_interval.FromSeconds(1)
    reports = orca_services.OpenRcaServiceStub(channel).StreamCoreMetrics(interval, timeout=30)
    for cpu, memory, util in ((0.821, 0.5847, 0.30499), (0.29309, 0.2, 0.2039)):
        report = messages.TestOrcaReport(cpu_utilization=cpu, memory_utilization=memory, utilization={"util": util})
        requests.send(output_request(1, orca_oob_report=report))
        next(responses)
        expect(any(received == report_of(report) for received in reports), "the reports ended")
    reports.cancel()
    requests.end()
    expect(not list(responses), "a message too many")


def yes(value=True):
    return messages.BoolValue(value=value)


def client_compressed_unary(stub, channel):
    def call(is_compressed, claims_compressed):
        request = messages.SimpleRequest(
            expect_compressed=yes(claims_compressed), response_size=LARGE_RESPONSE, payload=payload(LARGE_REQUEST)
        )
        compression = grpc.Compression.Gzip if is_compressed else grpc.Compression.NoCompression
        response = stub.UnaryCall(request, compression=compression)
        expect(len(response.payload.body) == LARGE_RESPONSE, "%d octets" % len(response.payload.body))

    # The server must notice a message that is not compressed although it says so: or the rest proves nothing.
    expect_status(lambda: call(False, True), grpc.StatusCode.INVALID_ARGUMENT)
    call(True, True)
    call(False, False)


def server_compressed_unary(stub, channel):
    for compressed in (True, False):
        request = messages.SimpleRequest(
            response_compressed=yes(compressed), response_size=LARGE_RESPONSE, payload=payload(LARGE_REQUEST)
        )
        response = stub.UnaryCall(request)
        expect(len(response.payload.body) == LARGE_RESPONSE, "%d octets" % len(response.payload.body))


def client_compressed_streaming(stub, channel):
    def request(size, claims_compressed):
        return messages.StreamingInputCallRequest(expect_compressed=yes(claims_compressed), payload=payload(size))

    def probe():
        return stub.StreamingInputCall(iter([request(27182, True)]), compression=grpc.Compression.NoCompression)

    expect_status(probe, grpc.StatusCode.INVALID_ARGUMENT)
    compressed = stub.StreamingInputCall(iter([request(27182, True)]), compression=grpc.Compression.Gzip)
    expect(compressed.aggregated_payload_size == 27182, "the sum is wrong")
    plain = stub.StreamingInputCall(iter([request(45904, False)]), compression=grpc.Compression.NoCompression)
    expect(plain.aggregated_payload_size == 45904, "the sum is wrong")


def server_compressed_streaming(stub, channel):
    parameters = [
        messages.ResponseParameters(size=31415, compressed=yes()),
        messages.ResponseParameters(size=92653, compressed=yes(False)),
    ]
    request = messages.StreamingOutputCallRequest(response_parameters=parameters)
    sizes = [len(response.payload.body) for response in stub.StreamingOutputCall(request)]
    expect(sizes == [31415, 92653], "the sizes are %s" % sizes)


def open_channel(port, ca_file=None, name=None):
    address = "127.0.0.1:%s" % port
    if ca_file is None:
        return grpc.insecure_channel(address)
    with open(ca_file, "rb") as ca:
        credentials = grpc.ssl_channel_credentials(root_certificates=ca.read())
    return grpc.secure_channel(address, credentials, (("grpc.ssl_target_name_override", name),))


def run_case(port, name, *tls):
    case = globals()[name]
    with open_channel(port, *tls) as channel:
        try:
            case(testing.TestServiceStub(channel), channel)
        except (Mismatch, grpc.RpcError) as error:
            sys.exit("%s: %s" % (name, error))


if __name__ == "__main__":
    if sys.argv[1] == "server":
        serve(*sys.argv[3:])
    else:
        run_case(*sys.argv[3:])
