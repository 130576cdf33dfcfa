#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A Pub/Sub subscriber service on Google's own gRPC, as an adversary: another HTTP/2 stack, which
ends each connection after AGE ms. It has COUNT messages, of KEYS ordering keys, whose data is their
number; one that is not acknowledged comes again with those of its key behind it, when its stream
ends or its lease does. With once, delivery is exactly once: of the acks of each number that 10
divides the first fails (TRANSIENT), of 10 n + 5 every one (PERMANENT), and receipts of 10 n + 7
fail at first too. With KEY and CERTIFICATE, files, it speaks TLS. Prints its port; ends with its
standard input, and then how many messages were acknowledged.
usage: grpc_broker.py COUNT KEYS AGE [once] [KEY CERTIFICATE]"""
import collections
import sys
import threading
import time
from concurrent import futures

import grpc

COUNT, KEYS, AGE = (int(word) for word in sys.argv[1:4])
ONCE = "once" in sys.argv[4:]
TLS = [word for word in sys.argv[4:] if word != "once"]
BATCH = 40
PACE = 0.02  # seconds between two batches, so that many connections are seen


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def field(number, value):
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(data):
    """(number, value) of each field; numbers and bytes."""

    def read(at):
        n = shift = 0
        while True:
            n |= (data[at] & 127) << shift
            shift += 7
            at += 1
            if data[at - 1] < 128:
                return n, at

    at = 0
    while at < len(data):
        tag, at = read(at)
        value, at = read(at)
        if tag & 7 == 2:
            value, at = data[at : at + value], at + value
        yield tag >> 3, value


class Broker:
    def __init__(self):
        self.lock = threading.Condition()
        self.waiting = {key: collections.deque(range(key, COUNT, KEYS)) for key in range(KEYS)}
        self.leased = {}  # number: (ack id, stream, until)
        self.acked = set()
        self.serial = 0
        self.failed = set()

    def give(self, stream, most):
        """With the lock: what may go out now. A key stays with its stream while one of it is out:
        what another stream was given may never have arrived."""
        out = []
        taken = {n % KEYS for n, lease in self.leased.items() if lease[1] is not stream}
        for key, queue in self.waiting.items():
            while key not in taken and queue and len(out) < most:
                number = queue.popleft()
                if number in self.acked:
                    continue
                self.serial += 1
                ack = b"%d.%d" % (number, self.serial)
                self.leased[number] = (ack, stream, time.monotonic() + 60)
                out.append((number, ack))
        return out

    def take_back(self, wanted):
        """With the lock: these, and what was sent of their keys after them."""
        first = {}
        for number in self.leased:
            if wanted(number):
                key = number % KEYS
                first[key] = min(first.get(key, number), number)
        again = sorted((n for n in self.leased if n >= first.get(n % KEYS, COUNT)), reverse=True)
        for number in again:
            del self.leased[number]
            queue = self.waiting[number % KEYS]
            while queue and queue[0] < number:  # gave back another way
                queue.popleft()
            queue.appendleft(number)
        if again:
            self.lock.notify_all()

    def outcome(self, ids, receipt):
        """With the lock: {ack id: failure} of those that fail, with once."""
        bad = {}
        for ack in ids if ONCE else []:
            number = int(ack.split(b".")[0])
            kind = number % 10
            if not receipt and kind == 5:
                bad[ack] = b"PERMANENT_FAILURE_INVALID_ACK_ID"
                self.acked.add(number)
                self.leased.pop(number, None)
            elif kind == (7 if receipt else 0) and number not in self.failed:
                self.failed.add(number)
                bad[ack] = b"TRANSIENT_FAILURE_UNAVAILABLE"
        return bad


broker = Broker()


def streaming_pull(requests, context):
    opening = dict(fields(next(requests)))
    most = opening.get(7, 1000)
    stream = object()
    pings = collections.deque()

    def listen():
        try:
            for request in requests:
                pings.append(request)
        except Exception:  # the end of the stream, whichever
            pass

    threading.Thread(target=listen, daemon=True).start()
    properties = field(4, (b"\x08\x01" if ONCE else b"") + b"\x10\x01")
    try:
        while context.is_active():
            with broker.lock:
                mine = sum(1 for lease in broker.leased.values() if lease[1] is stream)
                batch = broker.give(stream, min(BATCH, most - mine))
                if not batch:
                    broker.lock.wait(0.05)
            while pings:
                pings.popleft()
                yield properties
            answer = properties
            for number, ack in batch:
                message = field(1, b"%d" % number) + field(3, b"%d" % number)
                message += field(5, b"k%d" % (number % KEYS))
                answer += field(1, field(1, ack) + field(2, message))
            if batch:
                yield answer
                time.sleep(PACE)
    finally:
        with broker.lock:
            broker.take_back(lambda number: broker.leased[number][1] is stream)


def fail(bad, context):
    if not bad:
        return b""
    info = field(1, b"EXACTLY_ONCE_ACKID_FAILURE")
    for ack, why in bad.items():
        info += field(3, field(1, ack) + field(2, why))
    any_info = field(1, b"type.googleapis.com/google.rpc.ErrorInfo") + field(2, info)
    status = b"\x08\x09" + field(3, any_info)
    context.set_trailing_metadata((("grpc-status-details-bin", status),))
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "some acknowledgement ids were invalid")


def acknowledge(request, context):
    ids = [value for number, value in fields(request) if number == 2]
    with broker.lock:
        bad = broker.outcome(ids, False)
        for ack in ids:
            if ack not in bad:
                number = int(ack.split(b".")[0])
                broker.acked.add(number)
                broker.leased.pop(number, None)
        broker.lock.notify_all()
    return fail(bad, context)


def modify(request, context):
    pairs = list(fields(request))
    ids = [value for number, value in pairs if number == 4]
    seconds = dict((n, v) for n, v in pairs if n == 3).get(3, 0)
    with broker.lock:
        bad = broker.outcome(ids, True) if seconds > 0 else {}
        for ack in ids:
            number = int(ack.split(b".")[0])
            lease = broker.leased.get(number)
            if lease and lease[0] == ack:
                broker.leased[number] = (ack, lease[1], time.monotonic() + seconds)
        broker.take_back(lambda number: broker.leased[number][2] <= time.monotonic())
    return fail(bad, context)


def expire():
    while True:
        time.sleep(0.2)
        with broker.lock:
            now = time.monotonic()
            broker.take_back(lambda number: broker.leased[number][2] <= now)


server = grpc.server(
    futures.ThreadPoolExecutor(max_workers=64),
    options=[
        ("grpc.max_connection_age_ms", AGE),
        ("grpc.max_connection_age_grace_ms", 300),
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", 1024),
        ("grpc.http2.max_frame_size", 16384),
    ],
)
handlers = {
    "StreamingPull": grpc.stream_stream_rpc_method_handler(streaming_pull),
    "Acknowledge": grpc.unary_unary_rpc_method_handler(acknowledge),
    "ModifyAckDeadline": grpc.unary_unary_rpc_method_handler(modify),
}
server.add_generic_rpc_handlers(
    (grpc.method_handlers_generic_handler("google.pubsub.v1.Subscriber", handlers),)
)
if TLS:
    pair = tuple(open(name, "rb").read() for name in TLS)
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
else:
    port = server.add_insecure_port("127.0.0.1:0")
server.start()
threading.Thread(target=expire, daemon=True).start()
print(port, flush=True)
sys.stdin.read()
server.stop(0).wait()
print(len(broker.acked), flush=True)
