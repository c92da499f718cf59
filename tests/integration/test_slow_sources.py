# SPDX-License-Identifier: Apache-2.0
"""Chunks of videos whose sources are slow: fetched beside the extractors, which others use."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
import tritonclient.grpc
from support.raw import Raw, number, texts, video
from support.web import web_server, with_ranges
from tritonclient.utils import InferenceServerException

from trireel_client import ServerPath, TrireelClient

from .conftest import SAMPLE, served

SOURCES = 8  # more than there are extractors
MODELS = ("frame_extractor", "chunk_encoder", "video_chunk")
SOON_SECONDS = 30
CHUNK = {"CHUNK_SECONDS": number("FP64", 2.0), "START_SECONDS": number("FP64", 4.0)}
WHEN_EXTRACTED = "EXTRACT_NS"


class SlowSource:
    """Sends half of the sample to everyone, and the other half when it is told to."""

    def __init__(self):
        self.reached = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.hung_up = threading.Semaphore(0)

    def answer(self, handler):
        data = SAMPLE.read_bytes()
        handler.answer(200, data[: len(data) // 2], Content_Length=len(data), ETag='"v1"')
        self.reached.release()
        while not self.go_on.wait(0.1):
            try:
                handler.connection.send(b"", 0)
                if not handler.connection.recv(1, 0x40 | 0x02):  # MSG_DONTWAIT | MSG_PEEK
                    self.hung_up.release()
                    return
            except BlockingIOError:
                continue
            except ConnectionResetError:
                self.hung_up.release()
                return
        handler.wfile.write(data[len(data) // 2 :])

    def wait_for_requests(self, count):
        """Wait until so many requests have arrived."""
        for _ in range(count):
            assert self.reached.acquire(timeout=SOON_SECONDS)


@pytest.fixture
def slow():
    return SlowSource()


@pytest.fixture
def web(slow):
    answers = {
        "/slow.mp4": slow.answer,
        "/fast.mp4": with_ranges(SAMPLE.read_bytes()),
        "/text.mp4": with_ranges(b"I am not a video."),
    }
    with web_server(answers) as server:
        yield server
        slow.go_on.set()


PARAMETERS = {"allowed_networks": "127.0.0.0/8"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with served(SAMPLE.parent, tmp_path_factory.mktemp("log"), PARAMETERS) as server:
        yield server


@pytest.fixture(params=["grpc", "http"])
def raw(server, request):
    raw = Raw(server, request.param)
    yield raw
    raw.close()


def infer(server, model, reference, protocol="grpc", **options):
    """Return all of a chunk's tensors but the clock's."""
    raw = Raw(server, protocol)
    sequence = {"sequence_id": os.urandom(8).hex(), "sequence_start": True, "sequence_end": True}
    answer = raw.infer(
        model, video(reference, **CHUNK, **options), **(sequence if model == "video_chunk" else {})
    )
    outputs = answer.get_response().outputs if protocol == "grpc" else answer.get_response()["outputs"]
    names = [output.name if protocol == "grpc" else output["name"] for output in outputs]
    found = {name: answer.as_numpy(name) for name in names if name != WHEN_EXTRACTED}
    raw.close()
    return found


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


@pytest.mark.parametrize("model", MODELS)
def test_slow_sources_hold_no_extractor(server, client, web, slow, model):
    uris = [web.url(f"/slow.mp4?{model}-{index}") for index in range(SOURCES)]
    with ThreadPoolExecutor(SOURCES) as pool:
        waiting = [pool.submit(infer, server, model, uri) for uri in uris]
        slow.wait_for_requests(SOURCES)  # all at once
        by_path = infer(server, model, "sample.mp4")
        assert len(client.analyze(ServerPath("sample.mp4")).chunks) >= 3
        assert not any(one.done() for one in waiting)
        slow.go_on.set()
        for one in waiting:
            assert_same(one.result(SOON_SECONDS), by_path)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.parametrize("model", MODELS)
def test_a_fetched_chunk_is_that_of_the_file(server, web, protocol, model):
    uri = web.url(f"/fast.mp4?{model}{protocol}")
    by_path = infer(server, model, "sample.mp4")
    for _ in ("fetched", "kept"):
        assert_same(infer(server, model, uri, protocol), by_path)
