# SPDX-License-Identifier: Apache-2.0
"""Levels of load on real loopback servers whose answers are scripted."""

import asyncio
import threading
import time

import pytest
from unit.client.scripted import UNAVAILABLE, Refused, plan, stepped_chunk, stream_of, whole_video

from trireel_client._config import Address
from trireel_client.load_test.drive.arrivals import poisson_arrivals
from trireel_client.load_test.drive.connection import Connection
from trireel_client.load_test.drive.level_run import NOT_WAITED_FOR, PAUSE_SECONDS, Load
from trireel_client.load_test.drive.samples import Outcome
from trireel_client.load_test.plan import Level, Mode, Plan

SERVERS = {"server", "grpc_only"}


@pytest.fixture(autouse=True)
def answers(request):
    """Let the loopback server know every model."""
    for name in SERVERS & set(request.fixturenames):
        script = request.getfixturevalue(name).script
        script.answers["video_analysis"] = lambda asked: whole_video()
        script.answers["video_analysis_stream"] = lambda asked: stream_of()
        script.answers["frame_extractor"] = lambda asked: plan()
        script.answers["video_chunk"] = stepped_chunk


async def run(server, level, *, stop_after=None, **values):
    """Run a level without a warm-up."""
    defaults = {
        "videos": (b"one", b"two"),
        "duration_seconds": 0.6,
        "warm_up_seconds": 0.0,
        "timeout_seconds": 5.0,
    }
    told = Plan(levels=(level,), **{**defaults, **values})
    stop = asyncio.Event()
    requester = Connection(Address.parse(server.url), server.protocol).requester(told)
    if stop_after is not None:
        asyncio.get_running_loop().call_later(stop_after, stop.set)
    try:
        return await Load(told, level, requester).run(stop)
    finally:
        await requester.close()


MODES = [("grpc", mode) for mode in Mode] + [("http", Mode.WHOLE), ("http", Mode.SEQUENCE)]


@pytest.mark.parametrize(("server", "mode"), MODES, indirect=["server"])
async def test_every_mode_counts_chunks_and_frames(server, mode):
    level = await run(server, Level(concurrency=2), mode=mode)
    assert len(level.samples) > 2
    for one in level.samples:
        assert one.outcome is Outcome.OK, one.message
        assert (one.frames, one.video_seconds) == (12, 30.0)
        assert one.began_seconds < one.ended_seconds
        assert len(one.chunk_at_seconds) == (0 if mode is Mode.WHOLE else 3)
        assert bool(one.stages_ms) is (mode is not Mode.SEQUENCE)
    if mode is not Mode.SEQUENCE:
        assert one.stages_ms["extract"] == 20.5


async def test_a_closed_level_has_so_many_under_way_and_no_more(server):
    under_way, most, lock = 0, 0, threading.Lock()

    def answer(asked):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.02)
        with lock:
            under_way -= 1
        return whole_video()

    server.script.answers["video_analysis"] = answer
    level = await run(server, Level(concurrency=4))
    assert most == 4
    assert all(one.late_seconds < 0.05 for one in level.samples)


async def test_videos_are_taken_in_turn(grpc_only):
    await run(grpc_only, Level(concurrency=1))
    given = [asked.inputs["VIDEO_DATA"][0] for asked in grpc_only.script.asked]
    assert given == [(b"one", b"two")[i % 2] for i in range(len(given))]


async def test_options_reach_the_server(grpc_only):
    await run(grpc_only, Level(concurrency=1), options={"tags": ["a cat"]})
    assert list(grpc_only.script.asked[0].inputs["TAGS"]) == [b"a cat"]


async def test_a_refusal_is_seen_and_not_asked_for_again_at_once(server):
    server.script.refusals = [UNAVAILABLE] * 3
    level = await run(server, Level(concurrency=1))
    first = level.samples[:3]
    assert [one.outcome for one in first] == [Outcome.REFUSED] * 3
    assert "the queue is full" in first[0].message
    assert first[1].began_seconds - first[0].ended_seconds >= 0.9 * PAUSE_SECONDS
    assert level.samples[3].outcome is Outcome.OK
    assert len(server.script.asked_of("video_analysis")) == len(level.samples)


async def test_failures_keep_their_kind(server):
    server.script.refusals = [Refused("INVALID_ARGUMENT", 400, "not a video")]
    first, *others = (await run(server, Level(concurrency=1))).samples
    assert (first.outcome, first.kind) == (Outcome.FAILED, "InvalidRequest")
    assert "not a video" in first.message
    assert {one.outcome for one in others} == {Outcome.OK}


@pytest.mark.parametrize("values", [{"options": {"tags": []}}, {"videos": ("/gone.mp4",)}])
async def test_requests_that_fail_at_once_leave_the_event_loop_time(server, values):
    level = await run(server, Level(concurrency=2), duration_seconds=5.0, stop_after=0.35, **values)
    assert level.window.seconds < 3  # the stop was seen
    assert level.samples[0].outcome is Outcome.FAILED
    assert 2 <= len(level.samples) <= 2 * (level.window.seconds / PAUSE_SECONDS + 1)
    assert server.script.asked == []


async def test_an_open_level_begins_videos_at_their_time(server):
    level = await run(server, Level(rate=40.0))
    due = sorted(one.due_seconds - level.began_seconds for one in level.samples)
    assert due == pytest.approx(poisson_arrivals(40.0, 0.6))
    assert all(0 <= one.late_seconds < 0.2 for one in level.samples)


async def test_an_open_level_without_arrivals_lasts_its_whole_window(grpc_only):
    level = await run(grpc_only, Level(rate=0.01))
    assert time.perf_counter() >= level.window.end_seconds
    assert level.samples == ()


async def test_an_open_level_does_not_wait_for_answers(grpc_only):
    def answer(asked):
        time.sleep(0.3)
        return whole_video()

    grpc_only.script.answers["video_analysis"] = answer
    level = await run(grpc_only, Level(rate=20.0))
    assert len(level.samples) == len(poisson_arrivals(20.0, 0.6))
    first = level.samples[0]
    assert sum(one.began_seconds < first.ended_seconds for one in level.samples) > 2


async def test_a_video_behind_a_stall_counts_from_its_due_time(grpc_only):
    """One answer takes long, and only one may be under way: those behind it have waited as well."""
    slow = [0.5]

    def answer(asked):
        time.sleep(slow.pop() if slow else 0.0)
        return whole_video()

    grpc_only.script.answers["video_analysis"] = answer
    level = await run(grpc_only, Level(rate=40.0), most_in_flight=1)
    waited = [one for one in level.samples if one.latency_seconds > 0.2]
    assert len(waited) > 5
    assert all(one.ended_seconds - one.began_seconds < 0.2 for one in waited[1:])
    assert len(level.samples) == len(poisson_arrivals(40.0, 0.6))


async def test_stop_ends_a_level_at_once(server):
    server.script.answers["video_analysis"] = _waits_for(server)
    began = time.perf_counter()
    level = await run(server, Level(concurrency=2), duration_seconds=60.0, stop_after=0.3)
    assert time.perf_counter() - began < 5
    assert [one.outcome for one in level.samples] == [Outcome.INTERRUPTED] * 2
    assert 0.2 < level.window.seconds < 5
    server.script.go_on.set()


async def test_a_server_that_says_nothing_does_not_hold_up_the_end(server):
    server.script.answers["video_analysis"] = _waits_for(server)
    began = time.perf_counter()
    level = await run(server, Level(concurrency=2), duration_seconds=0.3, timeout_seconds=0.7)
    assert time.perf_counter() - began < 6
    assert len(level.samples) == 2
    assert {one.outcome for one in level.samples} == {Outcome.FAILED}
    assert {one.kind for one in level.samples} <= {"RequestTimeout", NOT_WAITED_FOR}
    server.script.go_on.set()


async def test_arrivals_that_never_began_are_failures(grpc_only):
    grpc_only.script.answers["video_analysis"] = _waits_for(grpc_only)
    level = await run(
        grpc_only, Level(rate=40.0), duration_seconds=0.3, timeout_seconds=0.5, most_in_flight=1
    )
    assert len(level.samples) == len(poisson_arrivals(40.0, 0.3)) > 3
    assert {one.outcome for one in level.samples} == {Outcome.FAILED}
    assert NOT_WAITED_FOR in {one.kind for one in level.samples}
    grpc_only.script.go_on.set()


def _waits_for(server):
    def answer(asked):
        server.script.go_on.wait(30)
        return whole_video()

    return answer


async def test_the_warm_up_is_not_counted(server):
    level = await run(server, Level(concurrency=1), warm_up_seconds=0.3, duration_seconds=0.3)
    assert level.window.begin_seconds - level.began_seconds == pytest.approx(0.3)
    assert level.warm_up
    assert level.counted
    assert len(level.warm_up) + len(level.counted) == len(level.samples)
    assert max(one.due_seconds for one in level.warm_up) < level.window.begin_seconds
