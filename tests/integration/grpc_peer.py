# SPDX-License-Identifier: MIT
"""A gRPC server on another HTTP/2 stack (gRPC's C core), whose methods take and give bytes.

usage: grpc_peer.py [--age MS] [--tls KEY CERTIFICATE]
Prints its port, then serves until its standard input ends."""
import argparse
import sys
import threading
from concurrent import futures

import grpc


def echo(request, context):
    return request


def refuse(request, context):
    context.set_trailing_metadata((("grpc-status-details-bin", b"\x08\x05\xff"),))
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not 100 % \u00e9\n")


def hold(request, context):
    over = threading.Event()
    context.add_callback(over.set)
    over.wait(60)
    return b""


def stream(requests, context):
    for request in requests:
        yield request


def count(request, context):
    for i in range(int(request)):
        yield b"x" * 1000


def metadata(request, context):
    given = dict(context.invocation_metadata())
    return b"%s|%s|%d" % (given["x-text"].encode(), given["x-raw-bin"], context.time_remaining())


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        return {
            "/test/Echo": grpc.unary_unary_rpc_method_handler(echo),
            "/test/Refuse": grpc.unary_unary_rpc_method_handler(refuse),
            "/test/Hold": grpc.unary_unary_rpc_method_handler(hold),
            "/test/Stream": grpc.stream_stream_rpc_method_handler(stream),
            "/test/Count": grpc.unary_stream_rpc_method_handler(count),
            "/test/Metadata": grpc.unary_unary_rpc_method_handler(metadata),
        }.get(details.method)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--age", type=int)
    arguments.add_argument("--most", type=int, help="calls at once on a connection")
    arguments.add_argument("--tls", nargs=2)
    arguments = arguments.parse_args()
    options = [("grpc.max_receive_message_length", 64 << 20), ("grpc.http2.lookahead_bytes", 1024)]
    if arguments.most:
        options += [("grpc.max_concurrent_streams", arguments.most)]
    if arguments.age:
        options += [("grpc.max_connection_age_ms", arguments.age),
                    ("grpc.max_connection_age_grace_ms", 20000)]
    server = grpc.server(futures.ThreadPoolExecutor(32), handlers=[Handler()], options=options)
    if arguments.tls:
        key, certificate = (open(name, "rb").read() for name in arguments.tls)
        port = server.add_secure_port(
            "127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(0)


main()
