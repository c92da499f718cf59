# SPDX-License-Identifier: Apache-2.0
"""Chunks of videos whose sources are slow: fetched beside the extractors, which others use."""

import os
import queue
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc
from support.otlp import receiver
from support.raw import Raw, number, video
from support.web import web_server, with_ranges
from tritonclient.utils import InferenceServerException

from trireel_client import ServerPath

from . import test_lifecycle as lifecycle
from .conftest import SAMPLE, served
from .test_lifecycle import GONE_SECONDS, alive, family, serving, traces, wait_until
from .test_tracing import name_of, spans_of, traced

SOURCES = 8  # more than there are extractors
MODELS = ("frame_extractor", "chunk_encoder", "video_chunk")
SOON_SECONDS = 30
CHUNK = {"CHUNK_SECONDS": number("FP64", 2.0), "START_SECONDS": number("FP64", 4.0)}


class SlowSource:
    """Sends half of the sample, then byte after byte, and the rest when it is told to."""

    def __init__(self):
        self.reached, self.hung_up = threading.Semaphore(0), threading.Semaphore(0)
        self.go_on = threading.Event()

    def answer(self, handler):
        data = SAMPLE.read_bytes()
        at = len(data) // 2
        handler.answer(200, data[:at], Content_Length=len(data), ETag='"v1"')
        self.reached.release()
        try:
            while not self.go_on.wait(0.05):  # so that it is not taken for dead
                handler.wfile.write(data[at : at + 1])
                at += 1
            handler.wfile.write(data[at:])
        except OSError:
            self.hung_up.release()


def wait_for(events, count):
    """Wait until a semaphore has been released so many times."""
    for _ in range(count):
        assert events.acquire(timeout=SOON_SECONDS)


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


own_folder = lifecycle.own_folder  # whatever is left over is from these tests
PARAMETERS = {"allowed_networks": "127.0.0.0/8"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with served(SAMPLE.parent, tmp_path_factory.mktemp("log"), PARAMETERS) as server:
        yield server


def infer(server, model, reference, protocol="grpc"):
    """Return all of a chunk's tensors but the clock's."""
    raw = Raw(server, protocol)
    sequence = {"sequence_id": os.urandom(8).hex(), "sequence_start": True, "sequence_end": True}
    sequence = sequence if model == "video_chunk" else {}
    answer = raw.infer(model, video(reference, **CHUNK), **sequence)
    as_json = protocol == "http"
    outputs = answer.get_response()["outputs"] if as_json else answer.get_response().outputs
    names = {output["name"] if as_json else output.name for output in outputs} - {"EXTRACT_NS"}
    raw.close()
    return {name: answer.as_numpy(name) for name in names}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


@pytest.mark.parametrize("model", MODELS)
def test_slow_sources_hold_no_extractor(server, client, web, slow, model):
    uris = [web.url(f"/slow.mp4?{model}-{index}") for index in range(SOURCES)]
    with ThreadPoolExecutor(SOURCES) as pool:
        waiting = [pool.submit(infer, server, model, uri) for uri in uris]
        wait_for(slow.reached, SOURCES)  # all at once
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


def named(uri):
    tensor = tritonclient.grpc.InferInput("VIDEO", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([uri.encode()], object))
    return [tensor]


def begin(raw, model, uri, finished):
    """Send a request for a chunk; returns the call, by which the client can go away."""

    def keep(result, error):
        finished.put((result, error))

    return raw.async_infer(model, named(uri), callback=keep)


def test_clients_that_go_away_end_their_fetches(server, web, slow):
    """Triton 2.51 does not tell an ensemble's steps that a client has gone away."""
    finished = queue.SimpleQueue()
    with tritonclient.grpc.InferenceServerClient(server.grpc_url) as raw:
        calls = [
            begin(raw, "frame_extractor", web.url(f"/slow.mp4?gone-{index}"), finished)
            for index in range(SOURCES)
        ]
        wait_for(slow.reached, SOURCES)
        for call in calls:
            call.cancel()
        wait_for(slow.hung_up, SOURCES)
    spool = spool_of(server.process_id)
    wait_until(lambda: not list(spool.glob("part-*")), SOON_SECONDS)
    assert infer(server, "frame_extractor", "sample.mp4")


def spool_of(process_id):
    words = Path(f"/proc/{process_id}/cmdline").read_text().split("\0")
    (repository,) = (word for word in words if word.startswith("--model-repository="))
    return Path(repository.partition("=")[2]).parent / "spool"


def test_a_stop_waits_for_the_fetches_in_flight(web, slow):
    before = traces()
    finished = queue.SimpleQueue()
    with serving(SAMPLE.parent, "--allow-network", "127.0.0.0/8") as (process, _, ports):
        members = family(process.pid)
        with tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{ports.grpc}") as raw:
            for index in range(SOURCES):
                begin(raw, "chunk_encoder", web.url(f"/slow.mp4?stop-{index}"), finished)
            wait_for(slow.reached, SOURCES)
            process.send_signal(signal.SIGTERM)
            assert process.stdout.readline().startswith("Trireel is stopping")
            with pytest.raises(InferenceServerException, match="the server is stopping"):
                raw.infer("frame_extractor", named(web.url("/slow.mp4?late")))
            slow.go_on.set()
            outcomes = [finished.get(timeout=SOON_SECONDS) for _ in range(SOURCES)]
        _, errors = process.communicate(timeout=GONE_SECONDS)
    assert [error for _, error in outcomes] == [None] * SOURCES
    assert (process.returncode, errors) == (0, "")
    assert not any(member.is_running() for member in members)
    assert traces() == before


def test_a_stop_ends_fetches_that_never_end(web, slow):
    before = traces()
    finished = queue.SimpleQueue()
    options = ("--allow-network", "127.0.0.0/8", "--stop-seconds", "1")
    with serving(SAMPLE.parent, *options) as (process, _, ports):
        members = family(process.pid)
        with tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{ports.grpc}") as raw:
            for index in range(SOURCES):
                begin(raw, "frame_extractor", web.url(f"/slow.mp4?never-{index}"), finished)
            wait_for(slow.reached, SOURCES)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=GONE_SECONDS)
            outcomes = [finished.get(timeout=SOON_SECONDS) for _ in range(SOURCES)]
    wait_for(slow.hung_up, SOURCES)
    assert [answer for answer, _ in outcomes] == [None] * SOURCES
    assert (process.returncode, errors) == (0, "")
    wait_until(lambda: not any(alive(member) for member in members))  # killed, not yet reaped
    assert traces() == before


def test_fetched_chunks_are_traced(web, tmp_path):
    """Triton 2.51 ended with a segfault if a call carried a trace that was over."""
    with receiver() as spans, traced(SAMPLE.parent, spans, tmp_path, **PARAMETERS) as server:
        by_path = infer(server, "chunk_encoder", "sample.mp4")
        for model in MODELS:
            for index in range(SOURCES):
                fetched = infer(server, model, web.url(f"/fast.mp4?traced-{model}-{index}"))
                if model == "chunk_encoder":
                    assert_same(fetched, by_path)
        names = {name_of(span) for span in spans_of(spans, "video_chunk")}
    assert {"video_chunk", "frame_extractor", "siglip_vision", "temporal_decoder"} <= names
