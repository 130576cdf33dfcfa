# SPDX-License-Identifier: MIT
"""Google's generated Python client, by C core's gRPC and unchanged, through the stand-in's calls.

With `emulator` what Google's emulator does not do is left out.
usage: PYTHONPATH=.../google-cloud-sdk/lib/third_party pubsub.py HOST:PORT [emulator]"""
import importlib.util  # the client's packages forget to ask for it
import queue
import sys
import threading
import time
import traceback

import grpc
from google.api_core import exceptions
from cloudsdk.google.protobuf import duration_pb2, field_mask_pb2, timestamp_pb2
from google.pubsub_v1 import PublisherClient, StreamingPullRequest, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

channel = grpc.insecure_channel(sys.argv[1])
publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
project = "projects/python/"
outcomes = []
running = []


def step(run):
    """Each has topics of its own, so all run side by side."""
    def guarded():
        try:
            run()
            outcomes.append(True)
        except Exception:
            print("FAILED " + run.__name__, file=sys.stderr)
            traceback.print_exc()
            outcomes.append(False)
    running.append(threading.Thread(target=guarded))
    running[-1].start()


def beyond(run):
    """What is beyond Google's emulator."""
    if len(sys.argv) < 3:
        step(run)


def refused(error, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except error as told:
        return told
    raise AssertionError(f"not refused: {named}")


def make(name, **settings):
    topic, subscription = project + "topics/" + name, project + "subscriptions/" + name
    publisher.create_topic(request={"name": topic})
    subscriber.create_subscription(request={"name": subscription, "topic": topic, **settings})
    return topic, subscription


def publish(topic, *texts):
    return publisher.publish(topic=topic, messages=[{"data": t} for t in texts]).message_ids


def pull(subscription):
    """What is there, without waiting for more; it is out then."""
    return subscriber.pull(request={"subscription": subscription, "max_messages": 100,
                                    "return_immediately": True}).received_messages


def texts(subscription):
    return sorted(m.message.data for m in pull(subscription))


def settle(subscription):
    ids = [m.ack_id for m in pull(subscription)]
    subscriber.acknowledge(subscription=subscription, ack_ids=ids)
    return ids


def mask(*paths):
    return field_mask_pb2.FieldMask(paths=paths)


@step
def topics():
    topic = project + "topics/things"
    publisher.create_topic(request={"name": topic, "labels": {"a": "b"}})
    refused(exceptions.AlreadyExists, publisher.create_topic, request={"name": topic})
    assert publisher.get_topic(topic=topic).labels == {"a": "b"}
    assert topic in [t.name for t in publisher.list_topics(project="projects/python")]
    refused(exceptions.NotFound, publisher.get_topic, topic=topic + "x")
    refused(exceptions.InvalidArgument, publisher.create_topic, request={"name": project + "topics/x"})
    publisher.delete_topic(topic=topic)


@step
def messages():
    topic, name = project + "topics/mail", project + "subscriptions/plain"
    publisher.create_topic(request={"name": topic})
    made = subscriber.create_subscription(request={
        "name": name, "topic": topic, "ack_deadline_seconds": 15, "enable_message_ordering": True,
        "retry_policy": {"minimum_backoff": duration_pb2.Duration(nanos=1000000),
                         "maximum_backoff": duration_pb2.Duration(seconds=1)}})
    assert made.ack_deadline_seconds == 15 and made.enable_message_ordering
    changed = subscriber.update_subscription(request={
        "subscription": {"name": name, "ack_deadline_seconds": 20},
        "update_mask": mask("ack_deadline_seconds")})
    assert changed.ack_deadline_seconds == 20
    assert list(publisher.list_topic_subscriptions(topic=topic)) == [name]
    ids = publisher.publish(topic=topic, messages=[
        {"data": b"\x00\xff", "attributes": {"k": "v"}, "ordering_key": "o"},
        {"data": b"two", "ordering_key": "o"}]).message_ids
    assert len(set(ids)) == 2
    got = subscriber.pull(subscription=name, max_messages=10).received_messages
    assert [m.message.data for m in got] == [b"\x00\xff", b"two"]
    assert got[0].message.attributes == {"k": "v"} and got[0].message.message_id == ids[0]
    subscriber.modify_ack_deadline(subscription=name, ack_ids=[got[0].ack_id], ack_deadline_seconds=30)
    subscriber.acknowledge(subscription=name, ack_ids=[m.ack_id for m in got])
    subscriber.delete_subscription(subscription=name)
    refused(exceptions.NotFound, subscriber.pull, subscription=name, max_messages=1)


def stream(subscription, count, **first):
    """Takes `count` messages from a stream, acknowledged on it. The sizes of its answers."""
    requests = queue.SimpleQueue()
    requests.put(StreamingPullRequest(subscription=subscription, stream_ack_deadline_seconds=10, **first))
    taken, sizes = [], []
    for answer in subscriber.streaming_pull(requests=iter(requests.get, None)):
        taken += [m.message for m in answer.received_messages]
        sizes.append(len(answer.received_messages))
        if answer.received_messages:
            requests.put(StreamingPullRequest(ack_ids=[m.ack_id for m in answer.received_messages]))
        if len(taken) == count:
            requests.put(None)
    return taken, sizes


@step
def order():
    topic, name = make("order", enable_message_ordering=True)

    def publishing():
        for i in range(0, 2000, 50):
            publisher.publish(topic=topic, messages=[
                {"data": b"%d" % j, "ordering_key": f"k{i % 200}"} for j in range(i, i + 50)])
    thread = threading.Thread(target=publishing)
    thread.start()
    taken, _ = stream(name, 2000)
    thread.join()
    by_key = {}
    for message in taken:
        by_key.setdefault(message.ordering_key, []).append(int(message.data))
    assert len(by_key) == 4 and sum(map(len, by_key.values())) == 2000
    assert all(numbers == sorted(numbers) for numbers in by_key.values())


@beyond
def flow_control():
    for name, most, bound in (("flow", 5, {"max_outstanding_messages": 5}),
                              ("bytes", 3, {"max_outstanding_bytes": 25})):
        topic, subscription = make(name)
        publish(topic, *[b"1234567890"] * 20)
        taken, sizes = stream(subscription, 20, **bound)
        assert len(taken) == 20 and max(sizes) <= most, sizes


@step
def slow_handler():
    """15 s under a deadline of 10 s, which is extended: not delivered again."""
    topic, name = make("slow", ack_deadline_seconds=10)
    publish(topic, b"slow")
    ids = [m.ack_id for m in subscriber.pull(subscription=name, max_messages=1).received_messages]
    for _ in range(3):
        subscriber.modify_ack_deadline(subscription=name, ack_ids=ids, ack_deadline_seconds=10)
        time.sleep(5)
        assert not pull(name)
    subscriber.acknowledge(subscription=name, ack_ids=ids)
    assert not pull(name)


@step
def seek():
    topic, name = make("seek", retain_acked_messages=True)
    before = timestamp_pb2.Timestamp(seconds=int(time.time()) - 1)
    publish(topic, b"one", b"two")
    settle(name)
    assert texts(name) == []
    subscriber.seek(request={"subscription": name, "time": before})
    assert texts(name) == [b"one", b"two"]
    publish(topic, b"three")
    later = timestamp_pb2.Timestamp(seconds=int(time.time()) + 60)
    subscriber.seek(request={"subscription": name, "time": later})
    assert texts(name) == []
    refused(exceptions.NotFound, subscriber.seek, request={"subscription": name + "x", "time": before})
    refused(exceptions.InvalidArgument, subscriber.seek, request={"subscription": name})


@step
def snapshots():
    topic, name = make("shots")
    other = project + "subscriptions/shots-2"
    subscriber.create_subscription(request={"name": other, "topic": topic})
    publish(topic, b"done")
    settle(name)
    publish(topic, b"kept")
    shot = project + "snapshots/kept"
    made = subscriber.create_snapshot(request={"name": shot, "subscription": name})
    assert made.topic == topic
    refused(exceptions.AlreadyExists, subscriber.create_snapshot,
            request={"name": shot, "subscription": name})
    settle(name)
    publish(topic, b"later")
    settle(name)
    for one in name, other:
        subscriber.seek(request={"subscription": one, "snapshot": shot})
        assert texts(one) == [b"kept", b"later"]
    assert [s.name for s in subscriber.list_snapshots(project="projects/python")] == [shot]
    assert list(publisher.list_topic_snapshots(topic=topic)) == [shot]
    _, elsewhere = make("elsewhere")
    refused(exceptions.FailedPrecondition, subscriber.seek,
            request={"subscription": elsewhere, "snapshot": shot})
    subscriber.delete_snapshot(snapshot=shot)
    refused(exceptions.NotFound, subscriber.get_snapshot, snapshot=shot)


@beyond
def labels():
    topic, name = make("labels")
    changed = publisher.update_topic(request={
        "topic": {"name": topic, "labels": {"c": "d"},
                  "schema_settings": {"schema": project + "schemas/s", "encoding": "BINARY"}},
        "update_mask": mask("labels", "schema_settings")})
    assert changed.labels == {"c": "d"} and changed.schema_settings.encoding == 2
    changed = subscriber.update_subscription(request={
        "subscription": {"name": name, "labels": {"e": "f"},
                         "expiration_policy": {"ttl": duration_pb2.Duration(seconds=259200)}},
        "update_mask": mask("labels", "expiration_policy")})
    assert changed.labels == {"e": "f"} and changed.expiration_policy.ttl.days == 3
    shot = project + "snapshots/labelled"
    subscriber.create_snapshot(request={"name": shot, "subscription": name, "labels": {"a": "b"}})
    soon = timestamp_pb2.Timestamp(seconds=int(time.time()) + 7200)
    changed = subscriber.update_snapshot(request={
        "snapshot": {"name": shot, "labels": {"g": "h"}, "expire_time": soon},
        "update_mask": mask("labels", "expire_time")})
    assert changed.labels == {"g": "h"} and int(changed.expire_time.timestamp()) == soon.seconds
    subscriber.delete_snapshot(snapshot=shot)


@beyond
def detach():
    topic, name = make("detach")
    publish(topic, b"lost")
    publisher.detach_subscription(request={"subscription": name})
    assert subscriber.get_subscription(subscription=name).detached
    refused(exceptions.FailedPrecondition, subscriber.pull, subscription=name, max_messages=1)
    requests = iter([StreamingPullRequest(subscription=name, stream_ack_deadline_seconds=10)])
    refused(exceptions.FailedPrecondition, lambda: list(subscriber.streaming_pull(requests=requests)))
    assert list(publisher.list_topic_subscriptions(topic=topic)) == []


@beyond
def exactly_once():
    topic, name = make("once", enable_exactly_once_delivery=True)
    publish(topic, b"a", b"b")
    first, second = settle(name)
    publish(topic, b"c")
    third = pull(name)[0].ack_id
    told = refused(exceptions.InvalidArgument, subscriber.acknowledge, subscription=name,
                   ack_ids=[first, third])
    details = dict(told.errors[0].trailing_metadata())["grpc-status-details-bin"]
    assert b"EXACTLY_ONCE_ACKID_FAILURE" in details and b"PERMANENT_FAILURE_INVALID_ACK_ID" in details
    assert first.encode() in details and third.encode() not in details
    assert texts(name) == []  # the third counted
    refused(exceptions.InvalidArgument, subscriber.modify_ack_deadline, subscription=name,
            ack_ids=[second], ack_deadline_seconds=20)


@beyond
def iam():
    topic, name = make("iam")
    for client, resource in (publisher, topic), (subscriber, name):
        policy = client.get_iam_policy(request={"resource": resource})
        assert policy.etag
        policy.bindings.add(role="roles/pubsub.viewer", members=["user:a@b.c"])
        set_now = client.set_iam_policy(request={"resource": resource, "policy": policy})
        assert set_now.etag != policy.etag and set_now.bindings[0].members == ["user:a@b.c"]
        refused(exceptions.Aborted, client.set_iam_policy, request={"resource": resource, "policy": policy})
    granted = publisher.test_iam_permissions(
        request={"resource": topic, "permissions": ["pubsub.topics.publish"]})
    assert granted.permissions == ["pubsub.topics.publish"]
    refused(exceptions.NotFound, publisher.get_iam_policy, request={"resource": topic + "x"})


@beyond
def limits():
    topic, name = make("limits")
    refused(exceptions.InvalidArgument, subscriber.acknowledge, subscription=name, ack_ids=["x"])
    for message in ({"data": b"x", "attributes": {f"k{i}": "" for i in range(101)}},
                    {"data": b"x", "attributes": {"k": "v" * 1025}},
                    {"data": b"x", "attributes": {"googx": "1"}}, {"data": b"x" * 10000001}, {}):
        refused(exceptions.InvalidArgument, publisher.publish, topic=topic, messages=[message])
    refused(exceptions.InvalidArgument, publisher.publish, topic=topic, messages=[{"data": b"x"}] * 1001)
    refused(exceptions.MethodNotImplemented, subscriber.create_subscription, request={
        "name": name + "-table", "topic": topic, "bigquery_config": {"table": "p.d.t"}})


for thread in running:
    thread.join()
print(sum(outcomes), "of", len(outcomes), "steps")
sys.exit(not all(outcomes))
