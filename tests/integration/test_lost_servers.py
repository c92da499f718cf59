# SPDX-License-Identifier: Apache-2.0
"""Servers, stubs and decoders killed midway: a walk goes on, with the answers of an undisturbed."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import psutil
import pytest
from support.balancing import ServerProcess
from support.videos import numbered_frame, write_video

from trireel_client import AsyncTrireelClient, Retry, ServerPath, TrireelClient

from .conftest import SERVED_FINDINGS

pytestmark = pytest.mark.alone  # servers that are killed and started again
VIDEO = ServerPath("tiny.mp4")
OPTIONS = {"chunk_seconds": 1.0, "frames_per_chunk": 4, "find": SERVED_FINDINGS}
CHUNKS = 6
PATIENT = Retry(attempts=60, first_wait_seconds=0.5, longest_wait_seconds=1.0)
WALKERS = ("grpc", "http", "async")


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    media = tmp_path_factory.mktemp("media")
    write_video(media / "tiny.mp4", [numbered_frame(i) for i in range(25 * CHUNKS)])
    servers = [ServerProcess(media, tmp_path_factory.mktemp("logs"), 1) for _ in range(2)]
    for server in servers:
        server.start()
    try:
        for server in servers:
            server.wait_ready()
        yield servers
    finally:
        for server in servers:
            if server.process.poll() is None:
                server.kill()


@pytest.fixture(scope="module")
def alone(pair):
    with TrireelClient(f"127.0.0.1:{pair[0].ports.grpc}") as client:
        chunks = list(client.step(VIDEO, **OPTIONS))
    assert len(chunks) == CHUNKS
    return chunks


def urls(servers, protocol):
    ports = (s.ports.http if protocol == "http" else s.ports.grpc for s in servers)
    return [f"127.0.0.1:{port}" for port in ports]


class Midway:
    """Walks of all kinds stop after two chunks until something has been killed."""

    def __init__(self):
        self._arrived = threading.Barrier(len(WALKERS) + 1)
        self._go_on = threading.Event()

    def walk(self, kind, servers):
        if kind == "async":
            return asyncio.run(self._walk(servers))
        with TrireelClient(urls(servers, kind), protocol=kind, retries=PATIENT) as client:
            chunks = []
            for chunk in client.step(VIDEO, sequence_id=f"walk by {kind}", **OPTIONS):
                chunks.append(chunk)
                self._pause(chunks)
            return chunks

    async def _walk(self, servers):
        async with AsyncTrireelClient(urls(servers, "grpc"), retries=PATIENT) as client:
            chunks = []
            async for chunk in client.step(VIDEO, **OPTIONS):
                chunks.append(chunk)
                self._pause(chunks)
            return chunks

    def _pause(self, chunks):
        if len(chunks) == 2:
            self._arrived.wait(30)
            self._go_on.wait(30)

    @contextmanager
    def of(self, servers, alone):
        """Kill in the context; afterwards every walk must be as one that was not disturbed."""
        with ThreadPoolExecutor(len(WALKERS)) as threads:
            walks = [threads.submit(self.walk, kind, servers) for kind in WALKERS]
            self._arrived.wait(30)
            try:
                yield
            finally:
                self._go_on.set()
        for kind, walk in zip(WALKERS, walks, strict=True):
            assert walk.result() == alone, kind
            for one, other in zip(walk.result(), alone, strict=True):
                np.testing.assert_array_equal(one.embedding, other.embedding)
            assert walk.result()[-2].state == alone[-2].state


def family(server):
    return psutil.Process(server.process.pid).children(recursive=True)


def command_of(process):
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_two_servers_give_the_same_answers(pair, alone):
    with TrireelClient(urls(pair[1:], "grpc")) as client:
        assert list(client.step(VIDEO, **OPTIONS)) == alone


def test_a_killed_decoder_of_files_is_not_noticed(pair, alone):
    with Midway().of(pair[:1], alone):
        workers = [m for m in family(pair[0]) if "extraction.process.worker" in command_of(m)]
        assert workers
        for worker in workers:
            worker.kill()


def test_a_killed_server_is_replaced_by_the_other_one(pair, alone):
    before = pair[1].requests("video_chunk")
    with Midway().of(pair, alone):
        pair[0].kill()
    assert pair[1].requests("video_chunk") - before == len(WALKERS) * (CHUNKS - 2)


def test_a_killed_stub_ends_its_server_and_the_next_one_goes_on(pair, alone):
    server = pair[1]
    with Midway().of(pair[1:], alone):
        stub = next(m for m in family(server) if "/temporal_decoder/1/" in command_of(m))
        stub.kill()
        server.process.communicate(timeout=30)
        server.start()
    server.wait_ready()
    assert server.requests("video_chunk") == len(WALKERS) * (CHUNKS - 2)
