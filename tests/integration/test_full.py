# SPDX-License-Identifier: Apache-2.0
"""A server with all it takes in: more is refused at once, and what was let in is not disturbed."""

import asyncio
import re
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager

import numpy as np
import psutil
import pytest
import tritonclient.grpc
from support.balancing import wait_until
from support.exposition import Scrape
from support.raw import Raw, number, video
from support.web import web_server

from trireel_client import AsyncTrireelClient, Retry, ServerFull, ServerPath, TrireelClient

from .conftest import SAMPLE, served

pytestmark = pytest.mark.alone  # a rejection must come at once
UNDER_WAY = 2  # whole videos, of each of the two models
EXTRACTORS = 2
WAITING = 2
SEQUENCES = 3
WORKER = "trireel_backend.extraction.process.worker"
AT_ONCE_SECONDS = 0.5  # a place comes free only much later
SOON_SECONDS = 20
ONCE = Retry(attempts=1)
FULL = (
    rf"{UNDER_WAY} whole videos are in flight here and {WAITING} are waiting, the most allowed:"
    r" ask again in about \d+ s"
)


class Held:
    """A source that begins to answer when it is told to."""

    def __init__(self):
        self.asked = 0
        self.go_on = threading.Event()
        self._data = SAMPLE.read_bytes()
        self._lock = threading.Lock()

    def __call__(self, handler):
        with self._lock:
            self.asked += 1
        self.go_on.wait(SOON_SECONDS)
        handler.answer(200, self._data)


@pytest.fixture(autouse=True)
def no_unexpected_errors_in_the_log(server):
    """Fail a test during which an error was logged, but for what is said of every stream given up.

    Triton 2.51 does so where a client cancels a stream that has just ended.
    """
    before = server.log.stat().st_size
    yield
    with server.log.open("rb") as lines:
        lines.seek(before)
        errors = [line for line in lines.read().decode().splitlines() if line.startswith("E")]
    assert [line for line in errors if "HandleCancellation called even when" not in line] == []


@pytest.fixture(scope="module")
def web():
    with web_server({}) as server:
        yield server


@pytest.fixture
def held(web):
    """Return a source, and the address of the next video in it."""
    source, prefix, number_of = Held(), uuid.uuid4().hex, iter(range(1000))

    def next_url():
        path = f"/{prefix}/{next(number_of)}.mp4"
        web.answers[path] = source
        return web.url(path)

    source.next_url = next_url
    yield source
    source.go_on.set()


@pytest.fixture(scope="module")
def server(web, tmp_path_factory):
    parameters = {
        "allowed_networks": "127.0.0.0/8",
        "max_waiting_videos": str(WAITING),
        "max_waiting_upload_bytes": "100",
        "videos_in_flight": str(UNDER_WAY),
        "max_sequences": str(SEQUENCES),
    }
    with served(SAMPLE.parent, tmp_path_factory.mktemp("log"), parameters) as server:
        yield server


@pytest.fixture(params=["grpc", "http"])
def raw(server, request):
    raw = Raw(server, request.param)
    yield raw
    raw.close()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(16) as pool:
        yield pool


def waiting(server, model):
    scrape = Scrape(server.metrics_url)
    if model.startswith("video_analysis"):
        return scrape.total("trireel_waiting_videos", model=model)
    return scrape.total("nv_inference_pending_request_count", model=model)


@contextmanager
def at_once():
    began = time.monotonic()
    yield
    assert time.monotonic() - began < AT_ONCE_SECONDS


@contextmanager
def filled(server, held, pool):
    """Have as many whole videos under way and waiting as the server takes, from a held source."""
    client = tritonclient.grpc.InferenceServerClient(server.grpc_url)

    def ask():
        tensor = tritonclient.grpc.InferInput("VIDEO", [1], "BYTES")
        tensor.set_data_from_numpy(np.array([held.next_url().encode()], object))
        return client.infer("video_analysis", [tensor])

    answers = []
    for count in range(1, UNDER_WAY + 1):
        answers.append(pool.submit(ask))
        wait_until(lambda so_many=count: held.asked == so_many)
    answers += [pool.submit(ask) for _ in range(WAITING)]
    wait_until(lambda: waiting(server, "video_analysis") == WAITING)
    yield answers
    held.go_on.set()
    for answer in answers:
        answer.result(SOON_SECONDS)
    client.close()


def test_a_whole_video_more_is_refused_at_once(server, held, pool, raw):
    with filled(server, held, pool) as answers:
        for _ in range(3):
            with at_once():
                message = raw.refused(503, "video_analysis", video("sample.mp4"))
            assert re.search(FULL, message)
        held.go_on.set()
        chunks = [answer.result(SOON_SECONDS).as_numpy("NUM_CHUNKS").item() for answer in answers]
    assert chunks == [6] * (UNDER_WAY + WAITING)
    raw.infer("video_analysis", video("sample.mp4"))


def test_the_client_says_it_and_comes_again(server, held, pool):
    sample = ServerPath("sample.mp4")
    patient = Retry(20, first_full_wait_seconds=0.2, longest_hint_seconds=1.0)
    with (
        filled(server, held, pool),
        TrireelClient(server.grpc_url, retries=ONCE) as impatient,
        TrireelClient(server.grpc_url, retries=patient) as client,
    ):
        with at_once(), pytest.raises(ServerFull, match=FULL) as refused:
            impatient.analyze(sample)
        assert refused.value.retry_after_seconds >= 1
        answer = pool.submit(client.analyze, sample)
        time.sleep(0.3)
        assert not answer.done()
        held.go_on.set()
        assert answer.result(SOON_SECONDS).num_chunks == 6


def test_one_that_went_away_while_it_waited_costs_nothing(server, held, pool):
    before = Scrape(server.metrics_url).by("trireel_videos_total", "outcome")
    client = tritonclient.grpc.InferenceServerClient(server.grpc_url)
    tensor = tritonclient.grpc.InferInput("VIDEO", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([b"sample.mp4"], object))
    with TrireelClient(server.grpc_url, retries=ONCE) as other:
        answers = [pool.submit(other.analyze, held.next_url()) for _ in range(UNDER_WAY)]
        wait_until(lambda: held.asked == UNDER_WAY)
        gone = [
            client.async_infer("video_analysis", [tensor], callback=lambda result, error: None)
            for _ in range(WAITING)
        ]
        wait_until(lambda: waiting(server, "video_analysis") == WAITING)
        for request in gone:
            request.cancel()
        wait_until(lambda: waiting(server, "video_analysis") == 0)
        held.go_on.set()
        assert [answer.result(SOON_SECONDS).num_chunks for answer in answers] == [6] * UNDER_WAY
    now = Scrape(server.metrics_url).by("trireel_videos_total", "outcome")
    assert now["cancelled"] - before.get("cancelled", 0) == WAITING
    assert now["ok"] - before.get("ok", 0) == UNDER_WAY
    client.close()


class Streams:
    """Streams of one event loop, each a task that ends with its last answer."""

    def __init__(self, server):
        self._server = server
        self._client = AsyncTrireelClient(server.grpc_url, retries=ONCE)

    def begin(self, source, **options):
        return asyncio.create_task(self._run(source, options))

    async def begun(self, held, waiting):
        """Fill the places, and have some wait."""
        tasks = [self.begin(held.next_url()) for _ in range(UNDER_WAY)]
        await self.until(lambda: held.asked == UNDER_WAY)
        tasks += [self.begin("sample.mp4") for _ in range(waiting)]
        await self.until(lambda: self.waiting() == waiting)
        return tasks

    def waiting(self):
        return Scrape(self._server.metrics_url).total("trireel_waiting_videos")

    async def until(self, condition):
        await asyncio.to_thread(wait_until, condition)

    async def _run(self, source, options):
        source = source if "://" in source else ServerPath(source)
        return [answer async for answer in self._client.stream(source, **options)][-1]

    async def close(self):
        await self._client.close()


def in_streams(server, body):
    async def run():
        streams = Streams(server)
        try:
            await body(streams)
        finally:
            await streams.close()

    asyncio.run(run())


def test_a_stream_more_is_refused_at_once_and_told_when_to_come(server, held):
    async def body(streams):
        tasks = await streams.begun(held, WAITING)
        before = Scrape(server.metrics_url).by("trireel_videos_total", "outcome")
        with at_once(), pytest.raises(ServerFull, match=FULL) as refused:
            await streams.begin("sample.mp4")
        assert refused.value.retry_after_seconds >= 1
        now = Scrape(server.metrics_url)
        assert now.by("trireel_videos_total", "outcome")["full"] == before.get("full", 0) + 1
        assert now.total("trireel_waiting_videos_limit", model="video_analysis_stream") == WAITING
        held.go_on.set()
        assert [(await task).num_chunks for task in tasks] == [6] * (UNDER_WAY + WAITING)
        assert streams.waiting() == 0
        assert (await streams.begin("sample.mp4")).num_chunks == 6

    in_streams(server, body)


def test_a_stream_that_went_away_while_it_waited_frees_its_place(server, held):
    async def body(streams):
        *under_way, gone, waiting = await streams.begun(held, WAITING)
        gone.cancel()
        await streams.until(lambda: streams.waiting() == WAITING - 1)
        late = streams.begin("sample.mp4")
        await streams.until(lambda: streams.waiting() == WAITING)
        held.go_on.set()
        assert [(await task).num_chunks for task in (*under_way, waiting, late)] == [6] * 4

    in_streams(server, body)


def test_an_upload_that_would_wait_in_the_unary_model_is_bounded_too(server, held, pool):
    data = SAMPLE.read_bytes()
    with TrireelClient(server.grpc_url, retries=ONCE) as client:
        answers = [pool.submit(client.analyze, held.next_url()) for _ in range(UNDER_WAY)]
        wait_until(lambda: held.asked == UNDER_WAY)
        with pytest.raises(ServerFull, match=rf"upload of {len(data)} bytes .* name the video by"):
            client.analyze(data)
        held.go_on.set()
        assert [answer.result(SOON_SECONDS).num_chunks for answer in answers] == [6] * UNDER_WAY
        assert client.analyze(data).num_chunks == 6


def test_uploads_that_would_wait_are_bounded_in_bytes(server, held):
    async def body(streams):
        tasks = await streams.begun(held, 0)
        data = SAMPLE.read_bytes()
        with pytest.raises(ServerFull, match=rf"upload of {len(data)} bytes .* name the video by"):
            await anext(streams._client.stream(data))
        held.go_on.set()
        assert [(await task).num_chunks for task in tasks] == [6] * UNDER_WAY
        assert [answer async for answer in streams._client.stream(data)][-1].num_chunks == 6

    in_streams(server, body)


@contextmanager
def suspended_decoders(server):
    """Keep every extractor busy for as long as the context, if it has something to decode."""
    processes = psutil.Process(server.process_id).children(recursive=True)
    decoders = [process for process in processes if WORKER in process.cmdline()]
    assert len(decoders) == EXTRACTORS
    for decoder in decoders:
        decoder.suspend()
    try:
        yield
    finally:
        for decoder in decoders:
            decoder.resume()


def extract(server):
    raw = Raw(server, "grpc")
    frames = raw.infer("frame_extractor", video("sample.mp4")).as_numpy("FRAMES")
    raw.close()
    return frames


def test_a_video_is_not_failed_by_clients_that_keep_the_extractors(server, pool):
    with TrireelClient(server.grpc_url, retries=ONCE) as client:
        with suspended_decoders(server):
            others = [pool.submit(extract, server) for _ in range(EXTRACTORS + WAITING)]
            wait_until(lambda: waiting(server, "frame_extractor") == WAITING)
            answer = pool.submit(client.analyze, ServerPath("sample.mp4"))
            time.sleep(0.5)
            assert not answer.done()
        assert answer.result(SOON_SECONDS).num_chunks == 6
        assert {len(other.result(SOON_SECONDS)) for other in others} == {16}


@contextmanager
def flooded(server, model, name, kind, array):
    """Have many clients ask a model again and again."""
    stop, answered = threading.Event(), threading.Event()

    def ask():
        client = Raw(server, "grpc")
        while not stop.is_set():
            client.infer(model, {name: (kind, array)})
            answered.set()
        client.close()

    with ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(ask) for _ in range(8)]
        answered.wait(SOON_SECONDS)
        yield
        stop.set()
        for one in asking:
            one.result(SOON_SECONDS)


def test_a_video_is_not_failed_by_clients_that_flood_the_towers(server):
    sentences = np.array([["a kitchen"]] * 64, object)
    frames = np.zeros((16, 96, 96, 3), np.uint8)
    with (
        flooded(server, "siglip_text", "TEXTS", "BYTES", sentences),
        flooded(server, "siglip_vision", "FRAMES", "UINT8", frames),
        TrireelClient(server.grpc_url, retries=ONCE) as client,
    ):
        analysis = client.analyze(ServerPath("sample.mp4"), tags=["a kitchen", "a gym"])
    assert {tag.text for tag in analysis.tags} == {"a kitchen", "a gym"}


def test_a_sequence_more_is_refused_at_once(server, raw):
    with TrireelClient(server.grpc_url, retries=ONCE) as client, ExitStack() as opened:
        steps = [
            opened.enter_context(closing(client.step(ServerPath("sample.mp4"))))
            for _ in range(SEQUENCES)
        ]
        assert [next(step).index for step in steps] == [0] * SEQUENCES
        wanted = f"{SEQUENCES} sequences are open in it, the most allowed: ask again in about 5 s"
        with at_once(), pytest.raises(ServerFull, match=wanted) as refused:
            next(client.step(ServerPath("sample.mp4")))
        assert refused.value.retry_after_seconds == 5
        frames = {"FRAMES": ("UINT8", np.zeros((2, 96, 96, 3), np.uint8)),
                  "TIMESTAMPS": number("FP64", [0.0, 1.0])}  # fmt: skip
        own = {"sequence_id": uuid.uuid4().hex, "sequence_start": True}
        assert wanted in raw.refused(503, "frame_chunk", frames, **own)
        # Nor does it help to speak as one model to another.
        guess = {"parameters": {"inner": ""}}
        assert wanted in raw.refused(503, "frame_chunk", frames, **own, **guess)
        # Neither whole videos nor those that are open are disturbed.
        assert client.analyze(ServerPath("sample.mp4")).num_chunks == 6
        assert [chunk.index for chunk in steps[0]] == [1, 2, 3, 4, 5]
        raw.infer("frame_chunk", frames, **own, sequence_end=False)  # the first has ended
        raw.infer("frame_chunk", frames, sequence_id=own["sequence_id"], sequence_end=True)
    scrape = Scrape(server.metrics_url)
    limit = scrape.total("trireel_live_sequences_limit", model="temporal_decoder")
    assert limit == SEQUENCES
