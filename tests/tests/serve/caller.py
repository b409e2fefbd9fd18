"""A gRPC client that is not ours: it knows no .proto file and finds services, methods and messages by reflection.

Reads a plan from standard input, a list of

    {"target": "127.0.0.1:50051", "ca": FILE, "cert": FILE, "key": FILE, "calls": [{"method": "Service/Method", ...}]}

and prints for each call how it ended: the name of the status, its words, and the answers as JSON. A call has "request" (JSON of
the message) or "raw" (octets in hexadecimal, sent as they are). Without "ca" nothing is encrypted; "list" asks what services
there are and "describe" what methods. A method whose service has a dot in it is named in full.
"""

import json
import sys

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

PACKAGE = "smets1.lab.v1."
DEADLINE = 60


def read(path):
    with open(path, "rb") as file:
        return file.read()


def channel(plan):
    if "ca" not in plan:
        return grpc.insecure_channel(plan["target"])
    key = read(plan["key"]) if "key" in plan else None
    cert = read(plan["cert"]) if "cert" in plan else None
    credentials = grpc.ssl_channel_credentials(read(plan["ca"]), key, cert)
    return grpc.secure_channel(plan["target"], credentials)


def answers(opened, pool, call):
    method = call["method"]
    if "raw" in call:
        path = "/" + ("" if "." in method else PACKAGE) + method
        stub = opened.unary_stream(path, lambda octets: octets, lambda octets: octets)
        return [octets.hex() for octets in stub(bytes.fromhex(call["raw"]), timeout=DEADLINE)]
    service, name = method.split("/")
    described = pool.FindServiceByName(PACKAGE + service).methods_by_name[name]
    request = message_factory.GetMessageClass(described.input_type)
    answer = message_factory.GetMessageClass(described.output_type)
    stub = opened.unary_stream("/" + PACKAGE + method, request.SerializeToString, answer.FromString)
    message = json_format.ParseDict(call.get("request", {}), request())
    return [json_format.MessageToDict(one) for one in stub(message, timeout=DEADLINE)]


def described(database, pool):
    services = [pool.FindServiceByName(name) for name in database.get_services()]
    return sorted(service.full_name + "/" + method for service in services for method in service.methods_by_name)


def perform(opened, database, pool, call):
    try:
        if call["method"] == "list":
            return {"code": "OK", "answers": sorted(database.get_services())}
        if call["method"] == "describe":
            return {"code": "OK", "answers": described(database, pool)}
        return {"code": "OK", "answers": answers(opened, pool, call)}
    except grpc.RpcError as error:
        return {"code": error.code().name, "details": error.details()}
    except KeyError as error:
        return {"code": "NOT_DESCRIBED", "details": str(error)}


def main():
    ended = []
    for plan in json.load(sys.stdin):
        with channel(plan) as opened:
            database = ProtoReflectionDescriptorDatabase(opened)
            pool = DescriptorPool(database)
            ended.extend(perform(opened, database, pool, call) for call in plan["calls"])
    json.dump(ended, sys.stdout)


main()
