"""The UserService as a Python program sees it that has no stubs of it: everything by reflection, and grpcio's own health stubs.

Arguments: the address, and for TLS the file of a CA. Prints one JSON object.
"""

import json
import sys

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

TIMEOUT_S = 30


def open_channel(address, ca_file):
    if ca_file is None:
        return grpc.insecure_channel(address)
    with open(ca_file, "rb") as file:
        return grpc.secure_channel(address, grpc.ssl_channel_credentials(file.read()))


def code_of(call):
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


def main(address, ca_file=None):
    with open_channel(address, ca_file) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        pool = DescriptorPool(database)
        service = pool.FindServiceByName("user.UserService")

        def bound(name, make):
            method = service.FindMethodByName(name)
            request = message_factory.GetMessageClass(method.input_type)
            response = message_factory.GetMessageClass(method.output_type)
            path = f"/user.UserService/{name}"
            stub = make(path, request_serializer=request.SerializeToString, response_deserializer=response.FromString)
            return lambda **fields: stub(request(**fields), timeout=TIMEOUT_S)

        get_user = bound("GetUser", channel.unary_unary)
        stream_users = bound("StreamUsers", channel.unary_stream)
        answer = get_user(user_id="123")

        health = health_pb2_grpc.HealthStub(channel)
        status = health_pb2.HealthCheckResponse.ServingStatus
        ask = lambda name: health_pb2.HealthCheckRequest(service=name)
        watch = health.Watch(ask("readiness"), timeout=TIMEOUT_S)
        watched = next(watch)
        watch.cancel()
        report = {
            "services": list(database.get_services()),
            "message": answer.message,
            "name": answer.user.name,
            "missing": code_of(lambda: get_user(user_id="999")),
            "streamed": sum(1 for _ in stream_users(page_size=3)),
            "check": status.Name(health.Check(ask("readiness"), timeout=TIMEOUT_S).status),
            "watch": status.Name(watched.status),
            "unknown": code_of(lambda: health.Check(ask("nobody"), timeout=TIMEOUT_S)),
        }
    print(json.dumps(report))


main(*sys.argv[1:])
