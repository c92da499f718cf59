# SPDX-License-Identifier: Apache-2.0
"""Chunks of videos that are fetched first: what is asked, rejected, counted and left behind."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from support.videos import numbered_frame, write_video
from support.web import web_server, with_ranges

from trireel_backend.errors import (
    Cancelled,
    Full,
    InvalidInput,
    StartupError,
    Unavailable,
    VideoNotFound,
)
from trireel_backend.extraction.process.isolation import IsolatedExtractor
from trireel_backend.extraction.task import ExtractorOptions
from trireel_backend.findings.finding import ServerModels
from trireel_backend.metrics.family import Tally
from trireel_backend.models.late_chunks import ChunkAnswers
from trireel_backend.whole_video.admission import Admission
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import texts

SIZE_PX = 24
SOON_SECONDS = 10


class Calls:
    """The model's requests to itself, each answered with one number or an error."""

    def __init__(self):
        self.made = []
        self.error = None

    async def __call__(self, model, inputs, outputs, *, turn=None, parameters=None):
        path = Path(inputs["VIDEO"][0].decode())
        self.made.append((model, inputs, outputs, parameters, path.read_bytes()))
        if self.error is not None:
            raise self.error
        return {"STREAM_INDEX": np.array([7], np.int32)}


class Held:
    """A source that sends nothing until it is told to."""

    def __init__(self, data):
        self.reached, self.go_on = threading.Event(), threading.Event()
        self._answer = with_ranges(data)

    def __call__(self, handler):
        self.reached.set()
        self.go_on.wait(SOON_SECONDS)
        self._answer(handler)


@pytest.fixture
def folders(tmp_path):
    for name in ("media", "spool", "admission"):
        (tmp_path / name).mkdir()
    write_video(tmp_path / "media/clip.mp4", [numbered_frame(i) for i in range(25)])
    return tmp_path


@pytest.fixture
def clip(folders):
    return (folders / "media/clip.mp4").read_bytes()


@pytest.fixture
def held(clip):
    return Held(clip)


@pytest.fixture
def web(clip, held):
    answers = {
        "/clip.mp4": with_ranges(clip),
        "/held.mp4": held,
        "/missing.mp4": lambda handler: handler.answer(404),
    }
    with web_server(answers) as server:
        yield server
        held.go_on.set()


@contextmanager
def answers_of(folders, calls, metrics, **parameters):
    extractor = IsolatedExtractor(ExtractorOptions(), 128 * SIZE_PX**2 * 3, 2**20)
    settings = {
        "media_root": str(folders / "media"),
        "spool": str(folders / "spool"),
        "allowed_networks": "127.0.0.0/8",
        "chunk_seconds": "10.0",
        "frames_per_chunk": "4",
        "max_frames_per_chunk": "128",
        "admission": str(folders / "admission"),
        **parameters,
    }
    try:
        yield ChunkAnswers(settings, SIZE_PX, extractor, calls, metrics, ServerModels())
    finally:
        extractor.close()


@pytest.fixture
def calls():
    return Calls()


@pytest.fixture
def metrics():
    return Tally()


@pytest.fixture
def chunks(folders, calls, metrics):
    with answers_of(folders, calls, metrics) as chunks:
        yield chunks


def request(uri, is_cancelled=lambda: False, parameters=None, **inputs):
    arrays = {"VIDEO": texts([uri]), **inputs}
    return Request(
        array=arrays.get,
        requested_outputs=frozenset(("FRAMES", "STREAM_INDEX")),
        is_cancelled=is_cancelled,
        parameters=parameters or {},
    )


def refusals(metrics):
    return {status: n for (name, status), n in metrics.numbers.items() if "refusals" in name}


async def test_a_fetched_video_is_asked_of_the_model_itself(chunks, calls, web, clip):
    start, size, parameters = np.array([0.4]), np.array([32], np.int32), {"keep_open": False}
    asked = request(web.url("/clip.mp4"), START_SECONDS=start, SIZE_PX=size, parameters=parameters)
    later = chunks.answer(asked)
    assert isinstance(later, Coroutine)
    start[:] = 99.0  # as Triton's memory may be once `execute` has returned
    assert (await later)["STREAM_INDEX"] == [7]
    ((model, inputs, outputs, parameters, data),) = calls.made
    assert model == "frame_extractor"
    assert inputs["START_SECONDS"].tolist() == [0.4]
    assert inputs["SIZE_PX"].tolist() == [32]
    assert outputs == ["FRAMES", "STREAM_INDEX"]
    assert parameters == {"keep_open": False}
    assert data == clip


async def test_a_video_that_is_here_is_answered_at_once(chunks, calls, web, metrics):
    await chunks.answer(request(web.url("/clip.mp4")))
    answer = chunks.answer(request(web.url("/clip.mp4")))
    by_path = chunks.answer(request("clip.mp4"))
    assert answer["FRAMES"].shape == (4, SIZE_PX, SIZE_PX, 3)
    np.testing.assert_array_equal(answer["FRAMES"], by_path["FRAMES"])
    assert len(calls.made) == len(web.requests) == 1
    assert refusals(metrics) == {}


def test_a_bad_input_is_rejected_before_a_fetch(chunks, web, metrics):
    bad = request(web.url("/clip.mp4"), CHUNK_SECONDS=np.array([-1.0]))
    with pytest.raises(InvalidInput, match="CHUNK_SECONDS is -1"):
        chunks.answer(bad)
    assert web.requests == []
    assert refusals(metrics) == {"INVALID_ARG": 1}


def test_frames_of_another_size_share_the_memory(chunks):
    one = np.array([1], np.int32)
    size = {"FRAMES_PER_CHUNK": one, "SIZE_PX": np.array([256], np.int32)}
    answer = chunks.answer(request("clip.mp4", **size))
    assert answer["FRAMES"].shape == (1, 256, 256, 3)
    assert answer["PICTURE_SIZE_PX"].tolist() == [64, 48]
    assert answer["FRAME_RATE"].tolist() == [25, 1]
    assert not answer["IS_VFR"][0]
    with pytest.raises(InvalidInput, match="got 2 frames of SIZE_PX 256: request at most 1"):
        chunks.answer(request("clip.mp4", **{**size, "FRAMES_PER_CHUNK": 2 * one}))
    for size_px in (15, 1025):
        with pytest.raises(InvalidInput, match=f"SIZE_PX is {size_px}: give 16 to 1024"):
            chunks.answer(request("clip.mp4", SIZE_PX=np.array([size_px], np.int32)))


async def test_a_fetch_that_fails_is_counted(chunks, web, metrics):
    with pytest.raises(VideoNotFound):
        await chunks.answer(request(web.url("/missing.mp4")))
    assert refusals(metrics) == {"NOT_FOUND": 1}


async def test_a_refusal_of_the_model_itself_is_not_counted_twice(chunks, calls, web, metrics):
    calls.error = InvalidInput("START_SECONDS is 99")
    with pytest.raises(InvalidInput, match="is 99"):
        await chunks.answer(request(web.url("/clip.mp4")))
    assert refusals(metrics) == {}


async def test_more_fetches_than_may_wait_are_rejected(folders, calls, metrics, web, held):
    limits = {"fetches_in_flight": "1", "max_waiting_fetches": "1"}
    with answers_of(folders, calls, metrics, **limits) as chunks:
        uris = [web.url(f"/held.mp4?{index}") for index in range(3)]
        first, second = (asyncio.ensure_future(chunks.answer(request(uri))) for uri in uris[:2])
        await asyncio.to_thread(held.reached.wait, SOON_SECONDS)
        with pytest.raises(Full, match="1 fetches of videos are in flight here and 1 are waiting"):
            await chunks.answer(request(uris[2]))
        assert "FRAMES" in chunks.answer(request("clip.mp4"))
        held.go_on.set()
        await asyncio.gather(first, second)
    assert refusals(metrics) == {"UNAVAILABLE": 1}


async def test_a_client_that_goes_away_leaves_nothing(folders, chunks, calls, web, held, metrics):
    gone = threading.Event()
    later = asyncio.ensure_future(chunks.answer(request(web.url("/held.mp4"), gone.is_set)))
    await asyncio.to_thread(held.reached.wait, SOON_SECONDS)
    gone.set()
    with pytest.raises(Cancelled):
        await later
    held.go_on.set()
    for _ in range(100):
        if not [path for path in (folders / "spool").iterdir() if path.name[:4] == "part"]:
            break
        await asyncio.sleep(0.05)
    assert [path for path in (folders / "spool").iterdir() if path.name[:4] == "part"] == []
    assert calls.made == []
    assert refusals(metrics) == {"CANCELLED": 1}


async def test_a_stop_waits_for_a_fetch_and_lets_none_begin(folders, chunks, calls, web, held):
    admission = Admission(folders / "admission")
    later = asyncio.ensure_future(chunks.answer(request(web.url("/held.mp4"))))
    await asyncio.to_thread(held.reached.wait, SOON_SECONDS)
    admission.close()
    assert not admission.is_idle()
    with pytest.raises(Unavailable, match="the server is stopping"):
        await chunks.answer(request(web.url("/clip.mp4")))
    held.go_on.set()
    await later
    assert admission.is_idle()
    assert len(calls.made) == 1


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"fetches_in_flight": "0"}, "fetches_in_flight is 0: give 1 or more"),
        ({"max_waiting_fetches": "-1"}, "max_waiting_fetches is -1: give 0 or more"),
    ],
)
def test_a_wrong_number_of_fetches_stops_the_start(folders, calls, metrics, parameters, message):
    with (
        pytest.raises(StartupError, match=message),
        answers_of(folders, calls, metrics, **parameters),
    ):
        pass
