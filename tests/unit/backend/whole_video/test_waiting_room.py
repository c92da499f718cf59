# SPDX-License-Identifier: Apache-2.0
"""The waiting room: how many whole videos run, wait, or are refused."""

import asyncio

import pytest

from trireel_backend.errors import Cancelled, Full
from trireel_backend.whole_video import waiting_room as places
from trireel_backend.whole_video.waiting_room import SlotLimits, Slots

GIB = 2**30


class Clock:
    now_seconds = 0.0

    def __call__(self):
        return self.now_seconds


def room(in_flight=1, waiting=1, waiting_bytes=GIB):
    return SlotLimits(in_flight=in_flight, waiting=waiting, waiting_bytes=waiting_bytes)


def taken(all_slots, **arguments):
    return all_slots.slot(lambda: False, **arguments)


class Video:
    """A task that holds a place until it is told to end."""

    def __init__(self, all_slots, is_cancelled=lambda: False, upload_bytes=0):
        self.begun, self.end = asyncio.Event(), asyncio.Event()
        self.task = asyncio.ensure_future(self._run(all_slots, is_cancelled, upload_bytes))

    async def _run(self, all_slots, is_cancelled, upload_bytes):
        async with all_slots.slot(is_cancelled, lambda: upload_bytes):
            self.begun.set()
            await self.end.wait()

    async def finish(self):
        self.end.set()
        await self.task


async def settled():
    for _ in range(10):
        await asyncio.sleep(0)


async def test_so_many_are_under_way_and_the_next_begin_in_order():
    all_slots = Slots(room(in_flight=2, waiting=2))
    videos = [Video(all_slots) for _ in range(4)]
    await settled()
    assert [video.begun.is_set() for video in videos] == [True, True, False, False]
    await videos[1].finish()
    await settled()
    assert [video.begun.is_set() for video in videos] == [True, True, True, False]
    for video in videos:
        await video.finish()


async def test_beyond_those_that_wait_one_is_refused_at_once():
    all_slots = Slots(room(in_flight=1, waiting=2))
    videos = [Video(all_slots) for _ in range(3)]
    await settled()
    with pytest.raises(Full, match="1 whole videos are in flight here and 2 are waiting, the most"):
        async with taken(all_slots):
            pass
    await videos[0].finish()
    await settled()
    late = Video(all_slots)  # a place to wait is free again
    await settled()
    for video in [*videos[1:], late]:
        await video.finish()
    assert late.begun.is_set()


async def test_none_may_wait():
    all_slots = Slots(room(waiting=0))
    async with taken(all_slots):
        with pytest.raises(Full, match="and 0 are waiting"):
            async with taken(all_slots):
                pass
    async with taken(all_slots):
        pass


async def test_the_hint_is_how_long_those_that_wait_will_take():
    clock = Clock()
    all_slots = Slots(room(in_flight=2, waiting=6), clock=clock)
    async with taken(all_slots):
        clock.now_seconds += 4.0
    videos = [Video(all_slots) for _ in range(8)]
    await settled()
    with pytest.raises(Full, match="ask again in about 12 s, or ask another server"):
        async with taken(all_slots):  # 6 wait, 4 s each, two at once
            pass
    clock.now_seconds += 9.0
    await videos[0].finish()  # a fifth of its 9 s goes into the mean: 5 s
    await settled()
    videos.append(Video(all_slots))
    await settled()
    with pytest.raises(Full, match="in about 15 s"):
        async with taken(all_slots):
            pass
    for video in videos:
        await video.finish()


async def test_a_hint_before_the_first_video_has_ended():
    all_slots = Slots(room(waiting=0))
    async with taken(all_slots):
        with pytest.raises(Full, match="in about 1 s"):
            async with taken(all_slots):
                pass


async def test_uploads_that_wait_are_counted_in_bytes():
    all_slots = Slots(room(waiting=9, waiting_bytes=100))
    under_way = Video(all_slots, upload_bytes=1000)  # waits for nobody
    waiting = [Video(all_slots, upload_bytes=60), Video(all_slots)]
    await settled()
    with pytest.raises(
        Full, match=r"upload of 41 bytes 101 bytes would wait, and 100 are allowed: .* path"
    ):
        async with taken(all_slots, upload_bytes=lambda: 41):
            pass
    waiting.append(Video(all_slots, upload_bytes=40))
    await settled()
    for video in [under_way, *waiting]:
        await video.finish()


async def test_one_that_went_away_while_it_waited_frees_its_place(monkeypatch):
    monkeypatch.setattr(places, "POLL_SECONDS", 0.01)
    seen = []
    all_slots = Slots(room(), waits=seen.append)
    first = Video(all_slots)
    await settled()
    gone = Video(all_slots, is_cancelled=lambda: True)
    with pytest.raises(Cancelled, match="gone away"):
        await gone.task
    second = Video(all_slots)
    await settled()
    assert not second.begun.is_set()
    for video in (first, second):
        await video.finish()
    assert second.begun.is_set()
    assert seen == [1, -1, 1, -1]


@pytest.mark.parametrize("place_is_given_first", [False, True])
async def test_a_task_cancelled_while_it_waits_takes_no_place_along(place_is_given_first):
    all_slots = Slots(room())
    first = Video(all_slots)
    await settled()
    waiting = Video(all_slots)
    await settled()
    if place_is_given_first:
        first.end.set()
        await first.task
    waiting.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting.task
    if not place_is_given_first:
        await first.finish()
    await asyncio.wait_for(Video(all_slots).finish(), 1)


async def test_a_video_that_fails_gives_its_place_back():
    all_slots = Slots(room(waiting=0))
    with pytest.raises(ZeroDivisionError):
        async with taken(all_slots):
            raise ZeroDivisionError
    async with taken(all_slots):
        pass
