# SPDX-License-Identifier: MIT
"""Google's generated Python client, by C core's gRPC and unchanged, through the stand-in's calls.

usage: PYTHONPATH=.../google-cloud-sdk/lib/third_party pubsub.py HOST:PORT"""
import importlib.util  # the client's packages forget to ask for it
import queue
import sys
import threading

import grpc
from google.api_core import exceptions
from cloudsdk.google.protobuf import duration_pb2, field_mask_pb2
from google.pubsub_v1 import PublisherClient, StreamingPullRequest, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

channel = grpc.insecure_channel(sys.argv[1])
publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
topic = "projects/python/topics/things"
name = "projects/python/subscriptions/plain"
steps = 0


def step(condition, what):
    global steps
    assert condition, what
    steps += 1


def refused(error, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except error:
        return True
    return False


publisher.create_topic(request={"name": topic, "labels": {"a": "b"}})
step(refused(exceptions.AlreadyExists, publisher.create_topic, request={"name": topic}), "twice")
step(publisher.get_topic(topic=topic).labels == {"a": "b"}, "labels")
step([t.name for t in publisher.list_topics(project="projects/python")] == [topic], "list")
step(refused(exceptions.NotFound, publisher.get_topic, topic=topic + "x"), "absent")
made = subscriber.create_subscription(request={
    "name": name, "topic": topic, "ack_deadline_seconds": 15, "enable_message_ordering": True,
    "retry_policy": {"minimum_backoff": duration_pb2.Duration(nanos=1000000),
                     "maximum_backoff": duration_pb2.Duration(seconds=1)}})
step(made.ack_deadline_seconds == 15 and made.enable_message_ordering, "settings")
changed = subscriber.update_subscription(request={
    "subscription": {"name": name, "ack_deadline_seconds": 20},
    "update_mask": field_mask_pb2.FieldMask(paths=["ack_deadline_seconds"])})
step(changed.ack_deadline_seconds == 20, "update")
step(list(publisher.list_topic_subscriptions(topic=topic)) == [name], "of the topic")
ids = publisher.publish(topic=topic, messages=[
    {"data": b"\x00\xff", "attributes": {"k": "v"}, "ordering_key": "o"},
    {"data": b"two", "ordering_key": "o"}]).message_ids
step(len(set(ids)) == 2, "ids")
got = subscriber.pull(subscription=name, max_messages=10).received_messages
step([m.message.data for m in got] == [b"\x00\xff", b"two"], "pulled")
step(got[0].message.attributes == {"k": "v"} and got[0].message.message_id == ids[0], "message")
subscriber.modify_ack_deadline(subscription=name, ack_ids=[got[0].ack_id], ack_deadline_seconds=30)
subscriber.acknowledge(subscription=name, ack_ids=[m.ack_id for m in got])
step(refused(exceptions.InvalidArgument, subscriber.acknowledge, subscription=name, ack_ids=["x"]),
     "bad ack")

requests = queue.SimpleQueue()
requests.put(StreamingPullRequest(subscription=name, stream_ack_deadline_seconds=10))
stream = subscriber.streaming_pull(requests=iter(requests.get, None))
publishing = threading.Thread(target=lambda: [
    publisher.publish(topic=topic, messages=[{"data": b"%d" % i}]) for i in range(500)])
publishing.start()
taken = []
for answer in stream:
    taken += [int(m.message.data) for m in answer.received_messages]
    ack_ids = [m.ack_id for m in answer.received_messages]
    if ack_ids:
        requests.put(StreamingPullRequest(ack_ids=ack_ids))
    if len(taken) == 500:
        requests.put(None)
publishing.join()
step(sorted(taken) == list(range(500)), "streamed")
subscriber.delete_subscription(subscription=name)
step(refused(exceptions.NotFound, subscriber.pull, subscription=name, max_messages=1), "deleted")
publisher.delete_topic(topic=topic)
print(steps, "of 13 steps")
sys.exit(steps != 13)
