#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Pub/Sub client beside others: Google's in Go and in Node, and a loop of raw frames as the floor.

Each peer is a process of its own that obeys a line at a time (pubsub/peer.h) and is measured from
outside: time, CPU time, peak of resident memory. Rounds go over all of them in turn, medians count.
On the stand-in first, then on Google's emulator where there is one.

usage: bench_peers.py              (make bench-peers builds what it needs and starts the emulator)
environment: PEERS_ROUNDS; of a round: PEERS_MESSAGES, to publish and to receive, PEERS_LATENCY, at 20 a
second; PEERS_BROKERS (stand-in,emulator: both); BUILD
"""
import atexit
import json
import os
import signal
import statistics
import subprocess
import sys
import time
import urllib.request

ROUNDS = int(os.environ.get("PEERS_ROUNDS", "5"))
MESSAGES = int(os.environ.get("PEERS_MESSAGES", "20000"))
LATENCY = int(os.environ.get("PEERS_LATENCY", "80"))
BROKERS = os.environ.get("PEERS_BROKERS", "stand-in,emulator").split(",")
BUILD = os.environ.get("BUILD", "build")
SIZES = (100, 1000)
PROJECT = f"bench-{os.getpid()}"
PATIENCE_S = 120
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = os.path.join(BUILD, "tests", "bench", "pubsub")


# ---- peers ----


class Peer:
    """Who is compared, and what came of it. What `only` does not name it does not do."""

    def __init__(self, name, *argv, mode=(), only=("publish", "receive", "latency")):
        self.name, self.argv, self.mode, self.only = name, argv, mode, only
        self.figures = {}

    def add(self, what, value):
        self.figures.setdefault(what, []).append(value)

    def median(self, what):
        """None: it does no such thing."""
        return statistics.median(self.figures[what]) if what in self.figures else None


def go_peer():
    """Builds it from Debian's sources of Google's client."""
    program = os.path.join(PEERS, "google")
    source = os.path.join(HERE, "pubsub", "google.go")
    env = dict(os.environ, GO111MODULE="off", GOPATH=os.environ.get("GOPATH", "/usr/share/gocode"))
    try:
        subprocess.run(["go", "build", "-o", program, source], env=env, check=True)
    except (OSError, subprocess.CalledProcessError):
        return missing("Go", "Debian: apt-get install golang-go golang-google-cloud-dev")
    return Peer("Go", program)


def node_peer():
    install = [os.path.join(HERE, "..", "interop", part) for part in ("install.sh", "pubsub")]
    if subprocess.run(install, check=False).returncode != 0:
        return missing("Node", "above; Debian: apt-get install nodejs npm")
    return Peer("Node", "node", os.path.join(HERE, "pubsub", "google.mjs"))


def missing(name, remedy):
    print(f"MISSING: Google's {name} client ({remedy}): compared without it")
    return None


def ours(name, how, streams, only=("receive", "latency")):
    return Peer(name, os.path.join(PEERS, "ours"), mode=(how, str(streams)), only=only)


class Process:
    """A peer that runs."""

    def __init__(self, peer, host):
        self.child = subprocess.Popen([*peer.argv, host, PROJECT, *peer.mode], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        atexit.register(self.child.kill)
        self.until("ready")

    def until(self, word):
        signal.alarm(PATIENCE_S)
        lines = []
        for line in self.child.stdout:
            if line.strip() == word:
                signal.alarm(0)
                return lines
            lines.append(line)
        sys.exit(f"{self.child.args} has ended without `{word}'")

    def cpu_s(self):
        """Its CPU clock (clock_getcpuclockid(3))."""
        return time.clock_gettime(~self.child.pid << 3 | 2)

    def peak_mib(self):
        with open(f"/proc/{self.child.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

    def obey(self, *command):
        """What it said, its seconds, its seconds of CPU."""
        cpu_s, begin_s = self.cpu_s(), time.monotonic()
        self.child.stdin.write(" ".join(map(str, command)) + "\n")
        self.child.stdin.flush()
        said = self.until("done")
        return said, time.monotonic() - begin_s, self.cpu_s() - cpu_s

    def end(self):
        self.child.stdin.close()
        self.child.wait()
        self.child.stdout.close()
        atexit.unregister(self.child.kill)


def impatient(*_):
    raise TimeoutError(f"a peer did not end within {PATIENCE_S} s")


# ---- a broker ----


class Broker:
    """Who is compared on it, by how many messages. Topics and subscriptions are made by REST; all have
    names of their own."""

    def __init__(self, name, host, peers, messages, figures):
        self.name, self.host, self.messages, self.figures = name, host, messages, figures
        self.peers = [peer for peer in peers if peer is not None]
        self.raw, self.ours = self.peers[:2]
        self.made = []

    def call(self, method, path, body=None):
        request = urllib.request.Request(f"http://{self.host}/v1/projects/{PROJECT}/{path}", method=method,
                                         headers={"Content-Type": "application/json"},
                                         data=None if body is None else json.dumps(body).encode())
        DIRECT.open(request, timeout=PATIENCE_S).close()

    def topic(self):
        name = f"topic-{len(self.made)}"
        self.call("PUT", f"topics/{name}", {})
        self.made.append(f"topics/{name}")
        return name

    def subscription(self, topic):
        name = f"subscription-{len(self.made)}"
        self.call("PUT", f"subscriptions/{name}",
                  {"topic": f"projects/{PROJECT}/topics/{topic}", "ackDeadlineSeconds": 60})
        self.made.append(f"subscriptions/{name}")
        return name

    def clear(self):
        for path in reversed([path for path in self.made if path is not None]):
            self.call("DELETE", path)
        self.made = [None] * len(self.made)


# ---- rounds ----


def run(broker, peer, *command):
    process = Process(peer, broker.host)
    said, seconds, cpu_s = process.obey(*command)
    peak_mib = process.peak_mib()
    process.end()
    return said, seconds, cpu_s, peak_mib


def flow(broker, peer, size, verb, name, *rest):
    _, seconds, cpu_s, peak_mib = run(broker, peer, verb, name, broker.messages, *rest)
    peer.add(f"{verb} {size}: rate", broker.messages / seconds)
    peer.add(f"{verb} {size}: CPU", cpu_s * 1e5 / broker.messages)
    peer.add(f"{verb} {size}: peak", peak_mib)


def publish_and_receive(broker, order, size):
    for peer in order:
        if "publish" in peer.only:
            flow(broker, peer, size, "publish", broker.topic(), size)
    topic = broker.topic()
    waiting = {peer: broker.subscription(topic) for peer in order}
    run(broker, broker.raw, "publish", topic, broker.messages, size)
    for peer in order:
        flow(broker, peer, size, "receive", waiting[peer])


def latency(broker, peer):
    topic = broker.topic()
    said, *_ = run(broker, peer, "latency", topic, broker.subscription(topic), broker.figures)
    figures = sorted(map(float, said))
    peer.add("latency: p50", statistics.median(figures))
    peer.add("latency: p99", figures[-(-len(figures) * 99 // 100) - 1])


def measure(broker):
    for number in range(ROUNDS):
        print(f"{broker.name}, round {number + 1} of {ROUNDS}", file=sys.stderr)
        first = number % len(broker.peers)
        order = broker.peers[first:] + broker.peers[:first]
        for peer in order:
            latency(broker, peer)
        for size in SIZES:
            publish_and_receive(broker, order, size)
        broker.clear()


# ---- what came of it ----


ROWS = [("publish to callback, p50, us", "latency: p50"), ("publish to callback, p99, us", "latency: p99")]
for each in SIZES:
    for action, doing in (("publish", "publishing"), ("receive", "receiving")):
        ROWS += [(f"{doing} {each} bytes, messages/s", f"{action} {each}: rate"),
                 ("CPU s for 100,000", f"{action} {each}: CPU"),
                 ("peak of resident memory, MiB", f"{action} {each}: peak")]

# Of ours: how much of the peer's at most, and of what; rates: at least.
AIMS = [("latency: p50", "raw frames", 1.2), ("latency: p99", "raw frames", 1.2), ("latency: p50", "Go", 0.5)]
for each in SIZES:
    for action in ("publish", "receive"):
        AIMS += [(f"{action} {each}: CPU", "Go", 1 / 4), (f"{action} {each}: CPU", "Node", 1 / 8),
                 (f"{action} {each}: rate", "Go", 1), (f"{action} {each}: rate", "Node", 1)]
    AIMS += [(f"receive {each}: peak", "Go", 1 / 3), (f"receive {each}: peak", "Node", 1 / 10)]


def shown(value):
    return "-" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def row(title, cells):
    print(f"| {title} | " + " | ".join(cells) + " |")


def show(broker):
    print()
    row(f"on {broker.name}", [peer.name for peer in broker.peers])
    row("---", ["---"] * len(broker.peers))
    for title, what in ROWS:
        row(title, [shown(peer.median(what)) for peer in broker.peers])
    print()
    others = {peer.name: peer for peer in broker.peers}
    for what, other, aim in AIMS:
        if other in others:
            judge(f"{what}: {{:.2f}} x {other}'s", broker.ours.median(what) / others[other].median(what), aim,
                  what.endswith("rate"))
    above = broker.ours.median("receive 1000: peak") - others["ours, unary"].median("receive 1000: peak")
    judge("streaming takes {:.1f} MiB more than unary", above, 1, False)
    sys.stdout.flush()


def judge(text, value, aim, least):
    met = value >= aim if least else value <= aim
    print(text.format(value) + f", aim {'>=' if least else '<='} {aim:.3g}{'' if met else ': MISSED'}")


def stand_in():
    """Its process and its address."""
    program = os.path.join(BUILD, "examples", "local")
    child = subprocess.Popen([program, "--pubsub-port", "0", "--firestore-port", "0"], text=True,
                             stdout=subprocess.PIPE)
    for line in child.stdout:
        if line.startswith("PUBSUB_EMULATOR_HOST="):
            return child, line.strip().split("=")[1]
    sys.exit("the stand-in did not start")


def on_stand_in(go, node):
    child, host = stand_in()
    peers = [Peer("raw frames", os.path.join(PEERS, "raw")),
             ours("ours", "at-once", 1, ("publish", "receive", "latency")),
             ours("ours, by workers", "workers", 1), ours("ours, unary", "unary", 0), go, node]
    broker = Broker("the stand-in", host, peers, MESSAGES, LATENCY)
    try:
        measure(broker)
    finally:
        child.terminate()
        child.wait()
    show(broker)


def on_emulator(go, node):
    """It looks for messages each 50 ms for each stream, and gives it 100 then: ours opens as many streams
    as Go's client does."""
    host = os.environ.get("PSPROBE_TEST_PUBSUB_EMULATOR")
    if host is None:
        print("MISSING: Google's emulator (google-cloud-cli-pubsub-emulator): the stand-in alone")
        return
    peers = [Peer("raw frames, 1 stream", os.path.join(PEERS, "raw")),
             ours("ours, 10 streams", "at-once", 10, ("publish", "receive", "latency")),
             ours("ours, unary", "unary", 0), go, node]
    broker = Broker("Google's emulator", host, peers, MESSAGES // 4, LATENCY // 2)
    measure(broker)
    show(broker)


def main():
    signal.signal(signal.SIGALRM, impatient)
    print(f"{ROUNDS} rounds, medians; load {os.getloadavg()[0]:.1f} at the beginning")
    if "stand-in" in BROKERS:
        on_stand_in(go_peer(), node_peer())
    if "emulator" in BROKERS:
        on_emulator(go_peer(), node_peer())
    print(f"load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
