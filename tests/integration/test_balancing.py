# SPDX-License-Identifier: Apache-2.0
"""Two servers behind the Envoy that is deployed: load spreads, and neither's end is noticed."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from support.balancing import CLUSTERS, Balancer, ServerProcess, balancer, wait_until
from support.videos import numbered_frame, write_video

from trireel_client import ServerPath, TrireelClient

from .test_same_answer import assert_same, assert_same_chunks

pytestmark = pytest.mark.alone  # Envoy judges servers by the time of their answers
VIDEO = ServerPath("tiny.mp4")
OPTIONS = {"chunk_seconds": 0.5, "frames_per_chunk": 2}
CHUNKS = 4
STOP_SECONDS = 20
PAUSE_SECONDS = 0.2  # between a client's requests: the machine has servers to start meanwhile
MODELS = ("video_analysis", "video_analysis_stream", "video_chunk")


def analyze(client):
    return client.analyze(VIDEO, **OPTIONS)


def stream(client):
    return list(client.stream(VIDEO, **OPTIONS))


def step(client):
    return list(client.step(VIDEO, **OPTIONS))


KINDS: dict[str, tuple[str, Callable]] = {
    "analyze by gRPC": ("grpc", analyze),
    "analyze by HTTP": ("http", analyze),
    "stream": ("grpc", stream),
    "step by gRPC": ("grpc", step),
    "step by HTTP": ("http", step),
}


def assert_all_same(answers, alone):
    """Compare answers of any kind with that of a server nobody disturbed."""
    for answer in answers:
        if not isinstance(answer, list):
            assert_same(answer, alone)
            continue
        assert_same_chunks(answer[:CHUNKS], alone.chunks)
        for whole in answer[CHUNKS:]:
            assert_same(whole, alone)


@dataclass
class Load:
    """Clients that ask again and again, a thread for each kind of request."""

    url: str
    answers: dict[str, list] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    over: threading.Event = field(default_factory=threading.Event)
    running: list[Future] = field(default_factory=list)

    def run(self, kind: str) -> None:
        """Ask until it is over; a request that fails ends it, and is raised."""
        protocol, ask = KINDS[kind]
        with TrireelClient(self.url, protocol=protocol) as client:
            while not self.over.wait(PAUSE_SECONDS):
                self.answers[kind].append(ask(client))

    def go_on(self, count: int) -> None:
        """Wait until each kind of request has been answered some more times."""
        wanted = {kind: len(answers) + count for kind, answers in self.answers.items()}

        def answered() -> bool:
            for lost in self.running:
                if lost.done():
                    lost.result()
            return all(len(self.answers[kind]) >= wanted[kind] for kind in KINDS)

        wait_until(answered, 60.0)

    def all_answers(self) -> list:
        return [answer for answers in self.answers.values() for answer in answers]


@contextmanager
def loaded(url: str) -> Iterator[Load]:
    """Ask for videos all the while; afterwards raises what the first lost one was lost of."""
    load = Load(url)
    with ThreadPoolExecutor(len(KINDS)) as threads:
        load.running = [threads.submit(load.run, kind) for kind in KINDS]
        try:
            load.go_on(1)
            yield load
        finally:
            load.over.set()
    for each in load.running:
        each.result()


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> Iterator[list[ServerProcess]]:
    media = tmp_path_factory.mktemp("media")
    write_video(media / "tiny.mp4", [numbered_frame(i) for i in range(50)])
    logs = tmp_path_factory.mktemp("logs")
    servers = [ServerProcess(media, logs, STOP_SECONDS) for _ in range(2)]
    for server in servers:
        server.start()
    try:
        for server in servers:
            server.wait_ready()
        yield servers
    finally:
        with ThreadPoolExecutor() as threads:
            list(threads.map(ServerProcess.stop, servers))


@pytest.fixture(scope="module")
def envoy(pair, tmp_path_factory) -> Iterator[Balancer]:
    with balancer([server.ports for server in pair], tmp_path_factory.mktemp("envoy")) as envoy:
        yield envoy


@pytest.fixture(scope="module")
def alone(pair):
    with TrireelClient(f"127.0.0.1:{pair[0].ports.grpc}") as client:
        alone = analyze(client)
    assert len(alone.chunks) == CHUNKS
    return alone


def counted(pair, model: str) -> Counter:
    return Counter({server.ports.grpc: server.requests(model) for server in pair})


def all_healthy(envoy: Balancer) -> bool:
    return all(envoy.healthy(cluster) == 2 for cluster in CLUSTERS)


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("analyze by gRPC", "video_analysis"),
        ("analyze by HTTP", "video_analysis"),
        ("stream", "video_analysis_stream"),
    ],
)
def test_whole_videos_spread_over_both(pair, envoy, alone, kind, model):
    protocol, ask = KINDS[kind]
    before = counted(pair, model)

    def some(_):
        with TrireelClient(envoy.url, protocol=protocol) as client:
            return [ask(client) for _ in range(5)]

    with ThreadPoolExecutor(4) as threads:
        answers = [answer for each in threads.map(some, range(4)) for answer in each]
    assert_all_same(answers, alone)
    share = counted(pair, model) - before
    assert share.total() == 20
    assert min(share.values()) >= 5
    assert len(share) == 2


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_sequence_stays_on_one_server_and_many_use_both(pair, envoy, alone, protocol):
    before = counted(pair, "video_chunk")

    def one(number):
        # With a name of ours and without states a sequence that was split would fail.
        name = f"camera {protocol} {number}"
        with TrireelClient(envoy.url, protocol=protocol) as client:
            return list(client.step(VIDEO, sequence_id=name, resume=False, **OPTIONS))

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(one, range(20)))
    assert_all_same(answers, alone)
    share = counted(pair, "video_chunk") - before
    assert share.total() == 20 * CHUNKS
    assert all(count % CHUNKS == 0 for count in share.values())
    assert len(share) == 2


def test_a_server_that_does_not_answer_for_its_health_gets_nothing_new(pair, envoy, alone):
    hanging, well = pair
    with hanging.hanging():
        wait_until(lambda: all(envoy.healthy(cluster) == 1 for cluster in CLUSTERS))
        before = well.requests("video_analysis")
        for protocol in ("grpc", "http"):
            with TrireelClient(envoy.url, protocol=protocol) as client:
                assert_all_same([analyze(client) for _ in range(4)], alone)
        assert well.requests("video_analysis") == before + 8
    wait_until(lambda: all_healthy(envoy))
    before = counted(pair, "video_analysis")
    with TrireelClient(envoy.url) as client:
        wait_until(lambda: analyze(client) and len(counted(pair, "video_analysis") - before) == 2)


def test_a_server_killed_under_load_loses_nothing(pair, envoy, alone):
    killed = pair[0]
    with loaded(envoy.url) as load:
        killed.kill()
        load.go_on(3)
        killed.start()
        killed.wait_ready()
        wait_until(lambda: all_healthy(envoy))
        wait_until(lambda: all(killed.requests(model) for model in MODELS))
    assert_all_same(load.all_answers(), alone)


def test_a_rolling_restart_under_load_drops_nothing(pair, envoy, alone):
    with loaded(envoy.url) as load:
        for server in pair:
            assert server.stop() == 0
            load.go_on(1)
            server.start()
            server.wait_ready()
            wait_until(lambda: all_healthy(envoy))
            wait_until(lambda server=server: all(server.requests(model) for model in MODELS))
    assert_all_same(load.all_answers(), alone)
