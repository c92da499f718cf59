# SPDX-License-Identifier: Apache-2.0
"""The metric families: names, labels, and the events that each one counts."""

import os
import re
import threading
from contextlib import aclosing
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from support.families import all_families

from trireel_backend import errors
from trireel_backend.extraction.counting import (
    DAMAGED_PACKETS,
    FRAMES,
    WORKERS_LOST,
    CountedExtractor,
)
from trireel_backend.extraction.task import Extracted, Frames
from trireel_backend.findings.sequences import SequenceStore
from trireel_backend.metrics.family import Kind, Tally
from trireel_backend.metrics.refusals import REFUSALS, refusals_counted
from trireel_backend.sources.limits import SourceLimits
from trireel_backend.sources.spool import Spool
from trireel_backend.sources.spool_metrics import (
    SPOOL_BYTES,
    SPOOL_DISK_FREE_BYTES,
    SPOOL_LIMIT_BYTES,
    measure_spool,
)
from trireel_backend.system.periodic import Every
from trireel_backend.whole_video.counting import (
    OPEN_VIDEOS,
    OUTCOMES,
    OUTCOMES_BY_STATUS,
    STAGE_SECONDS,
    VIDEO_DURATION,
    VIDEOS,
    count_stages,
    video_counted,
)
from trireel_backend.wire.tensors import texts

FAMILIES = all_families()


@pytest.fixture
def tally():
    return Tally()


def counted(tally, family):
    """Return a family's numbers that are not 0, by label value."""
    return {
        value: number
        for (name, value), number in tally.numbers.items()
        if name == family.name and number
    }


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_names_follow_prometheus(family):
    # Triton aborts if a name is invalid or is used with two types.
    assert re.fullmatch(r"trireel_[a-z]+(_[a-z]+)*", family.name)
    assert family.name.endswith("_total") == (family.kind is Kind.COUNTER)
    assert bool(family.buckets) == (family.kind is Kind.HISTOGRAM)
    assert sorted(family.buckets) == list(family.buckets)
    assert bool(family.label) == (family.values != ("",))
    assert family.description.endswith(".")


def test_no_two_families_share_a_name():
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_every_status_has_an_outcome():
    assert set(OUTCOMES_BY_STATUS) == set(errors.REQUEST_ERRORS_BY_STATUS)
    assert set(OUTCOMES_BY_STATUS.values()) | {"ok", "full"} == set(OUTCOMES)


@pytest.mark.parametrize(
    ("error", "status", "outcome"),
    [
        (errors.NotAVideo("x"), "INVALID_ARG", "refused"),
        (errors.VideoNotFound("x"), "NOT_FOUND", "refused"),
        (errors.Unsupported("x"), "UNSUPPORTED", "refused"),
        (errors.Unavailable("x"), "UNAVAILABLE", "failed"),
        (errors.Full("x"), "UNAVAILABLE", "full"),
        (errors.StageFailed("x"), "INTERNAL", "failed"),
        (ZeroDivisionError("a bug"), "INTERNAL", "failed"),
        (errors.Cancelled("x"), "CANCELLED", "cancelled"),
        (GeneratorExit(), "CANCELLED", "cancelled"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_a_video_without_an_answer_is_counted_by_outcome(tally, error, status, outcome):
    video = video_counted(tally)
    video.__enter__()
    assert counted(tally, OPEN_VIDEOS) == {"": 1}
    assert not video.__exit__(type(error), error, None)
    assert counted(tally, VIDEOS) == {outcome: 1}
    assert counted(tally, REFUSALS) == {status: 1}
    assert counted(tally, OPEN_VIDEOS) == {}
    assert tally.observed == {}


def test_an_answered_video_is_counted(tally):
    with video_counted(tally):
        pass
    assert counted(tally, VIDEOS) == {"ok": 1}
    assert counted(tally, REFUSALS) == counted(tally, OPEN_VIDEOS) == {}
    (seconds,) = tally.observed[VIDEO_DURATION.name]
    assert 0 <= seconds < 1


async def test_a_video_with_unread_answers_counts_as_cancelled(tally):
    async def answers():
        with video_counted(tally):
            while True:
                yield

    async with aclosing(answers()) as iterator:
        await anext(iterator)
    assert counted(tally, VIDEOS) == {"cancelled": 1}


def test_an_error_is_counted_and_raised_again(tally):
    with pytest.raises(errors.NotAVideo, match="text"), refusals_counted(tally):
        raise errors.NotAVideo("text")
    assert counted(tally, REFUSALS) == {"INVALID_ARG": 1}


def test_seconds_of_stages_are_those_of_the_answer(tally):
    names = texts(["fetch", "extract", "encode", "decode", "total"])
    count_stages(tally, names, np.array([1.0, 20.0, 300.0, 4000.0, 9.0]))
    assert counted(tally, STAGE_SECONDS) == pytest.approx(
        {"fetch": 0.001, "extract": 0.02, "encode": 0.3, "decode": 4.0}
    )


class Scripted:
    """An extractor that returns or raises a given result."""

    def __init__(self, result):
        self.result, self.closed = result, False

    def run(self, task, is_cancelled):
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def close(self):
        self.closed = True


def extracted(damaged):
    pixels = np.zeros((3, 2, 2, 3), np.uint8)
    frames = [
        Frames(pixels[:1], np.arange(1), Fraction(1, 25), damaged),
        Frames(pixels[1:], np.arange(2), Fraction(1, 25), 1),
    ]
    return Extracted(None, pixels, (), tuple(frames), "h264", 0, 1, 2)


def test_frames_and_damage_are_counted(tally):
    extractor = CountedExtractor(Scripted(extracted(damaged=4)), tally)
    assert len(extractor.run(None, lambda: False).pixels) == 3
    extractor.close()
    assert counted(tally, FRAMES) == {"": 3}
    assert counted(tally, DAMAGED_PACKETS) == {"": 5}
    assert counted(tally, WORKERS_LOST) == {}
    assert extractor._extractor.closed


@pytest.mark.parametrize(
    ("error", "causes"),
    [
        (errors.DecoderCrashed("died"), {"crashed": 1}),
        (errors.Unavailable("killed"), {"killed": 1}),
        (errors.NotAVideo("text"), {}),
    ],
)
def test_a_dead_decoder_is_counted(tally, error, causes):
    with pytest.raises(type(error), match=str(error)):
        CountedExtractor(Scripted(error), tally).run(None, lambda: False)
    assert counted(tally, WORKERS_LOST) == causes


def test_the_spool_is_measured(tally, tmp_path):
    (tmp_path / "video-a").write_bytes(b"x" * 300)
    (tmp_path / "upload-b").write_bytes(b"x" * 20)
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "uri-c.json").write_bytes(b"x" * 9)  # a record, which is not counted
    held_bytes = Spool(tmp_path, SourceLimits()).size_bytes
    measure_spool(tally, tmp_path, held_bytes, limit_bytes=1000)
    link_bytes = (tmp_path / "dangling").lstat().st_size
    assert counted(tally, SPOOL_BYTES) == {"": 320 + link_bytes}
    assert counted(tally, SPOOL_LIMIT_BYTES) == {"": 1000}
    disk = os.statvfs(tmp_path)
    free = counted(tally, SPOOL_DISK_FREE_BYTES)[""]
    assert free == pytest.approx(disk.f_bavail * disk.f_frsize, rel=0.1)


def test_a_spool_that_cannot_be_read_is_not_measured(tally):
    nowhere = Path("/nowhere")
    held_bytes = Spool(nowhere, SourceLimits()).size_bytes
    measure_spool(tally, nowhere, held_bytes, limit_bytes=1)
    assert tally.numbers == {}


def test_idle_states_that_expire_are_counted():
    now, expired = [0.0], []
    store = SequenceStore(list, idle_seconds=10, clock=lambda: now[0], expired=expired.append)
    for correlation_id in "abc":
        store.put(correlation_id, [])
    now[0] = 5
    store.put("c", [])
    store.forget_idle()
    assert expired == []
    now[0] = 12
    store.forget_idle()
    assert expired == [2]
    assert len(store) == 1


def test_a_periodic_action_runs_until_it_is_closed():
    third, calls = threading.Event(), []

    def action():
        calls.append(threading.current_thread())
        if len(calls) == 3:
            third.set()

    every = Every(0.001, action)
    assert third.wait(10)
    every.close()
    calls_at_close = len(calls)
    assert not calls[0].is_alive()
    assert threading.current_thread() not in calls
    assert len(calls) == calls_at_close
