# SPDX-License-Identifier: Apache-2.0
"""The event loop that computes answers in a thread beside the model."""

import asyncio
import threading

import pytest

from trireel_backend.triton.answering_loop import AnsweringLoop

SOON_SECONDS = 10


@pytest.fixture
def loop():
    loop = AnsweringLoop(calls_at_once=3)
    yield loop
    loop.close()


async def nothing():
    return 7


def test_answers_are_computed_beside_who_began_them(loop):
    go_on = threading.Event()

    async def waiting():
        await asyncio.to_thread(go_on.wait, SOON_SECONDS)
        return threading.current_thread().name

    first = loop.begin(waiting())
    assert loop.begin(nothing()).result(SOON_SECONDS) == 7
    assert not first.done()
    go_on.set()
    assert first.result(SOON_SECONDS) == "answers"


def test_as_many_calls_wait_at_once_as_it_was_made_for(loop):
    together = threading.Barrier(3)
    calls = [loop.begin(asyncio.to_thread(together.wait, SOON_SECONDS)) for _ in range(3)]
    assert sorted(call.result(SOON_SECONDS) for call in calls) == [0, 1, 2]


def test_an_error_nobody_waits_for_is_logged(loop, caplog):
    async def broken():
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        loop.begin(broken()).result(SOON_SECONDS)
    loop.begin(nothing()).result(SOON_SECONDS)
    assert "boom" in caplog.text


def test_a_closed_loop_leaves_no_thread():
    before = threading.active_count()
    loop = AnsweringLoop(calls_at_once=1)
    loop.begin(nothing()).result(SOON_SECONDS)
    loop.close()
    assert threading.active_count() == before
