# SPDX-License-Identifier: Apache-2.0
"""Clients that are closed, interrupted or asked for more while they are at it."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from unit.client.loopback import Loopback
from unit.client.scripted import Refused, one_chunk, stream_of, whole_video

from trireel_client import (
    Analysis,
    AsyncTrireelClient,
    ClientBusy,
    ClientClosed,
    RequestCancelled,
    Retry,
    ServerPath,
)

VIDEO = ServerPath("a.mp4")
LATER = Refused("UNAVAILABLE", 503, "ask again in about 1 s")
PAUSING = Retry(attempts=3, first_wait_seconds=0.001, longest_hint_seconds=0.5)  # told and cut


@pytest.fixture
def answering(grpc_only: Loopback) -> Loopback:
    """A server that knows one video."""
    grpc_only.script.answers.update(
        video_analysis=lambda asked: whole_video(),
        video_analysis_stream=lambda asked: stream_of(),
    )
    return grpc_only


def wait_for(server: Loopback, asked: int) -> None:
    """Wait until the server was asked so often and the client has heard of it."""
    while len(server.script.asked) < asked:
        time.sleep(0.005)
    time.sleep(0.1)


def test_closed_in_the_pause_before_it_asks_again(answering: Loopback) -> None:
    answering.script.refusals = [LATER] * 3
    client = answering.client(retries=PAUSING)
    with ThreadPoolExecutor(1) as pool:
        analysis = pool.submit(client.analyze, VIDEO)
        wait_for(answering, 1)
        client.close()
        with pytest.raises(ClientClosed, match="make a new one"):
            analysis.result(10.0)


def test_the_client_of_event_loops_closed_in_that_pause(answering: Loopback) -> None:
    async def run() -> None:
        answering.script.refusals = [LATER] * 3
        client = AsyncTrireelClient(answering.url, retries=PAUSING)
        analysis = asyncio.create_task(client.analyze(VIDEO))
        await asyncio.to_thread(wait_for, answering, 1)
        await client.close()
        with pytest.raises(ClientClosed, match="make a new one"):
            await analysis

    asyncio.run(run())


@pytest.mark.parametrize("method", ["analyze", "stream"])
def test_closed_while_another_task_waits_for_an_answer(answering: Loopback, method: str) -> None:
    def never(asked):
        answering.script.go_on.wait(10.0)
        return whole_video()

    def hanging(asked):
        yield from [never(asked)]

    async def run() -> None:
        answering.script.answers.update(video_analysis=never, video_analysis_stream=hanging)
        client = AsyncTrireelClient(answering.url, retries=PAUSING)
        waiting = client.analyze(VIDEO) if method == "analyze" else anext(client.stream(VIDEO))
        task = asyncio.ensure_future(waiting)
        await asyncio.to_thread(wait_for, answering, 1)
        await client.close()
        with pytest.raises(RequestCancelled, match="cancelled before its answer"):
            await task
        assert not task.cancelled()

    asyncio.run(run())


def test_a_broken_stream_stays_the_only_one_until_it_goes_on(answering: Loopback) -> None:
    def broken():
        yield {**one_chunk(0), "IS_AGGREGATE": np.array([False])}
        raise LATER

    streams = iter([broken(), stream_of()])
    answering.script.answers["video_analysis_stream"] = lambda asked: next(streams)
    with answering.client(retries=PAUSING) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: list(client.stream(VIDEO)))
        wait_for(answering, 1)
        with pytest.raises(ClientBusy, match="a client for each stream"):
            next(client.stream(VIDEO))
        assert isinstance(first.result(10.0)[-1], Analysis)


def test_interrupted_twice_the_client_is_fit_for_use(
    answering: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self, timeout=None):
        monkeypatch.undo()
        raise KeyboardInterrupt

    def endless():
        yield {**one_chunk(0), "IS_AGGREGATE": np.array([False])}
        answering.script.go_on.wait(10.0)

    with answering.client() as client:
        answering.script.answers["video_analysis_stream"] = lambda asked: endless()
        answers = client.stream(VIDEO)
        next(answers)
        # Closing cancels and waits for the stream's thread: the second Ctrl-C comes there.
        monkeypatch.setattr(threading.Thread, "join", interrupted)
        with pytest.raises(KeyboardInterrupt):
            answers.close()
        answering.script.answers["video_analysis_stream"] = lambda asked: stream_of()
        assert len(list(client.stream(VIDEO))) == 4
