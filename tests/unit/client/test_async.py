# SPDX-License-Identifier: Apache-2.0
"""The client for event loops does as the blocking one."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import numpy as np
import pytest
from unit.client.loopback import QUICK, Loopback
from unit.client.scripted import (
    INVALID,
    UNAVAILABLE,
    WIDTH,
    Refused,
    one_chunk,
    stream_of,
    whole_video,
)

from trireel_client import (
    Analysis,
    AsyncTrireelClient,
    ClientClosed,
    InvalidRequest,
    RequestTimeout,
    ServerPath,
    ServerUnavailable,
    SourceNotFound,
    Timeout,
    UnexpectedAnswer,
)

VIDEO = ServerPath("a.mp4")
Body = Callable[[AsyncTrireelClient], Awaitable[object]]


def in_loop(server: Loopback, body: Body, timeout: Timeout | None = None) -> None:
    """Run a test's body with a client, in an event loop of its own."""

    async def run() -> None:
        async with AsyncTrireelClient(server.url, timeout=timeout, retries=QUICK) as client:
            await body(client)

    asyncio.run(run())


@pytest.fixture
def answering(grpc_only: Loopback) -> Loopback:
    """A server that knows one video."""
    grpc_only.script.answers.update(
        video_analysis=lambda asked: whole_video(),
        video_analysis_stream=lambda asked: stream_of(),
        siglip_text=lambda asked: {
            "EMBEDDINGS": np.ones((len(asked.inputs["TEXTS"]), WIDTH), np.float32)
        },
    )
    return grpc_only


def test_same_answer_as_the_blocking_client(answering: Loopback, video: str) -> None:
    async def body(client: AsyncTrireelClient) -> None:
        asked = {"stream_id": "x", "tags": ["cat"], "sample_fps": 2.0, "crop": (0, 0, 0.5, 0.5)}
        mine = await client.analyze(video, **asked)
        with answering.client() as blocking:
            theirs = await asyncio.to_thread(blocking.analyze, video, **asked)
        assert mine.chunks == theirs.chunks
        assert (mine.tags, mine.timing, mine.server) == (theirs.tags, theirs.timing, theirs.server)

    in_loop(answering, body)
    first, second = answering.script.asked
    assert first.inputs.keys() == {"VIDEO_DATA", "TAGS", "SAMPLE_FPS", "CROP"}
    for name, tensor in first.inputs.items():
        np.testing.assert_array_equal(tensor, second.inputs[name])


def test_many_at_once(answering: Loopback) -> None:
    async def follow(client: AsyncTrireelClient) -> int:
        return len([answer async for answer in client.stream(VIDEO)])

    async def body(client: AsyncTrireelClient) -> None:
        analyses = await asyncio.gather(*(client.analyze(VIDEO) for _ in range(8)))
        assert len({analysis.stream_id for analysis in analyses}) == 8
        assert await asyncio.gather(*(follow(client) for _ in range(4))) == [4] * 4

    in_loop(answering, body)


def test_stream_ends_with_the_whole(answering: Loopback) -> None:
    async def body(client: AsyncTrireelClient) -> None:
        answers = [answer async for answer in client.stream(VIDEO)]
        assert [answer.index for answer in answers[:-1]] == [0, 1, 2]
        assert isinstance(answers[-1], Analysis)

    in_loop(answering, body)


def test_closing_early_cancels(answering: Loopback) -> None:
    def endless():
        yield {**one_chunk(0), "IS_AGGREGATE": np.array([False])}
        answering.script.go_on.wait(10.0)

    async def body(client: AsyncTrireelClient) -> None:
        answering.script.answers["video_analysis_stream"] = lambda asked: endless()
        async with aclosing(client.stream(VIDEO)) as answers:
            async for _ in answers:
                break
        assert await asyncio.to_thread(answering.script.cancelled.wait, 5.0)

    in_loop(answering, body)


def test_cancelling_the_task_cancels_the_request(answering: Loopback) -> None:
    def slow(asked):
        answering.script.go_on.wait(10.0)
        return whole_video()

    async def body(client: AsyncTrireelClient) -> None:
        answering.script.answers["video_analysis"] = slow
        task = asyncio.create_task(client.analyze(VIDEO))
        while not answering.script.asked:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(answering.script.cancelled.wait, 5.0)

    in_loop(answering, body)


def test_retries_and_refusals(answering: Loopback) -> None:
    async def body(client: AsyncTrireelClient) -> None:
        answering.script.refusals = [UNAVAILABLE, UNAVAILABLE]
        await client.analyze(VIDEO)
        assert len(answering.script.asked) == 3
        answering.script.refusals = [UNAVAILABLE]
        assert len([answer async for answer in client.stream(VIDEO)]) == 4
        answering.script.refusals = [UNAVAILABLE] * 3
        with pytest.raises(ServerUnavailable, match="queue is full"):
            await client.analyze(VIDEO)
        answering.script.refusals = [INVALID]
        with pytest.raises(InvalidRequest, match="TOP_K is 0"):
            await anext(client.stream(VIDEO))

    in_loop(answering, body)


def test_a_hint_of_when_to_come_back_is_followed(answering: Loopback) -> None:
    async def body(client: AsyncTrireelClient) -> None:
        answering.script.refusals = [Refused("UNAVAILABLE", 503, "full", retry_after="1")]
        began = time.monotonic()
        await client.analyze(VIDEO)
        assert 1.0 <= time.monotonic() - began < 5.0

    in_loop(answering, body)


def test_stream_that_stops_short(answering: Loopback) -> None:
    async def body(client: AsyncTrireelClient) -> None:
        for short in ([], list(stream_of())[:-1]):
            answering.script.answers["video_analysis_stream"] = lambda asked, s=short: iter(s)
            with pytest.raises(UnexpectedAnswer, match="before the answer"):
                [answer async for answer in client.stream(VIDEO)]

    in_loop(answering, body)


def test_timeouts(answering: Loopback) -> None:
    def slow(asked):
        answering.script.go_on.wait(10.0)
        yield from stream_of()

    async def body(client: AsyncTrireelClient) -> None:
        answering.script.answers["video_analysis_stream"] = slow
        with pytest.raises(RequestTimeout, match=r"within 0\.3 s"):
            await anext(client.stream(VIDEO))

    in_loop(answering, body, Timeout(5.0, 0.3))


def test_the_rest_of_it(answering: Loopback) -> None:
    async def body(client: AsyncTrireelClient) -> None:
        assert (await client.embed_texts(["a", "b"])).shape == (2, WIDTH)
        assert (await client.server_info()).name == "triton"
        assert await client.is_ready()
        assert not await client.is_ready("no_such_model")
        with pytest.raises(SourceNotFound, match=r"no\.mp4"):
            await client.analyze("no.mp4")
        with pytest.raises(InvalidRequest, match="got both of frames_per_chunk and sample_fps"):
            await client.analyze(VIDEO, frames_per_chunk=8, sample_fps=1.0)
        with pytest.raises(TypeError, match="no option 'frames'"):
            client.stream(VIDEO, frames=8)
        await client.close()
        with pytest.raises(ClientClosed, match="make a new one"):
            await client.server_info()

    in_loop(answering, body)
