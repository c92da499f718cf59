# SPDX-License-Identifier: Apache-2.0
"""Transitions of a video in chunks: those of the video in one piece."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.footage import cut_at, judged, shot, times, varied

from trireel_backend.scenes.hard_cuts import Run
from trireel_backend.scenes.judge import find_transitions
from trireel_backend.scenes.model_windows import due_windows, judged_to_seconds, with_scores
from trireel_backend.scenes.track import LOOKAHEAD_SECONDS, decide, empty_track

FOOTAGE = varied()  # drawn once
KINDS = ["cut", "cut", "cut", "dissolve", "wipe", "cut", "fade", "cut"]


def in_chunks(frames, seconds, borders, *, exact=False):
    """Return the transitions of a video in chunks, and the most frames that were kept."""
    track, found, kept = empty_track(), [], 0
    edges = [0, *borders, len(frames)]
    for begin, end in itertools.pairwise(edges):
        is_last = end == len(frames)
        track = track.extended(frames[begin:end], seconds[begin:end])
        judged_seconds = None
        if exact and len(track.seconds):
            windows = due_windows(track, is_last=is_last, every_window=False)
            track = with_scores(track, windows, *judged(windows.pixels))
            judged_seconds = judged_to_seconds(track)
        track, new = decide(track, is_last=is_last, judged_to_seconds=judged_seconds)
        found += new
        kept = max(kept, len(track.seconds))
    assert len(track.seconds) == 0
    return found, kept


def places(found):
    return [(t.kind, t.seconds, t.begin_seconds, t.end_seconds) for t in found]


@pytest.fixture(scope="module", params=[False, True], ids=["refined", "exact"])
def whole(request):
    return in_chunks(*FOOTAGE, [], exact=request.param)[0], request.param


def test_the_footage_has_every_kind_of_transition(whole):
    assert [t.kind for t in whole[0]] == KINDS
    cuts = [t.seconds for t in whole[0] if t.kind == "cut"]
    assert cuts == [3, 6.4, 6.8, 13, 19.52]


@settings(max_examples=6)
@given(borders=st.sets(st.integers(1, 549), max_size=8).map(sorted))
@example(borders=list(range(25, 550, 25)))
@example(borders=[75, 160, 170, 225, 240, 275, 295])  # at cuts, in the dissolve, in the wipe
def test_any_division_gives_the_same_transitions(whole, borders):
    expected, exact = whole
    found, _ = in_chunks(*FOOTAGE, borders, exact=exact)
    assert places(found) == places(expected)
    assert [t.reason for t in found] == [t.reason for t in expected]
    np.testing.assert_allclose([t.score for t in found], [t.score for t in expected], rtol=1e-4)


def test_chunks_may_hold_no_frames():
    frames, seconds = FOOTAGE
    found, _ = in_chunks(frames, seconds, [100, 100, 100, 300])
    assert places(found) == places(in_chunks(frames, seconds, [])[0])
    assert in_chunks(frames[:0], seconds[:0], [])[0] == []


def test_frames_that_come_again_are_left_out():
    frames, seconds = FOOTAGE
    track = empty_track().extended(frames[:200], seconds[:200])
    again = track.extended(frames[150:260], seconds[150:260])
    np.testing.assert_array_equal(again.seconds, seconds[:260])
    np.testing.assert_array_equal(again.pixels, frames[:260])


def test_still_frames_may_be_missing_between_changes():
    """Mode `refined` gets frames around changes only, and gets the same transitions."""
    frames, seconds = FOOTAGE
    calm = ((seconds > 3.6) & (seconds < 5.6)) | ((seconds > 14) & (seconds < 15.5))
    found, _ = in_chunks(frames[~calm], seconds[~calm], [60, 250])
    assert places(found) == places(in_chunks(frames, seconds, [])[0])


def test_a_transition_is_reported_as_soon_as_it_is_certain():
    seconds = times(12, 25)
    frames = cut_at(seconds, [4.0], [3, 9])
    track = empty_track()
    for begin in range(0, 300, 25):
        part = slice(begin, begin + 25)
        track = track.extended(frames[part], seconds[part])
        track, found = decide(track, is_last=False, judged_to_seconds=None)
        if found:
            break
    assert [t.seconds for t in found] == [4.0]
    assert 4.0 + LOOKAHEAD_SECONDS <= track.decided_seconds + LOOKAHEAD_SECONDS < 9.0


@pytest.mark.parametrize("count", [1, 2])
def test_a_video_of_one_or_two_frames(count):
    seconds = times(1, 25)[:count]
    frames = cut_at(seconds, [0.02], [3, 9])
    for exact in (False, True):
        found, _ = in_chunks(frames, seconds, [], exact=exact)
        assert places(found) == [("cut", 0.04, 0.04, 0.04)][: count - 1]


@pytest.mark.parametrize("exact", [False, True])
def test_a_video_of_two_frames_a_second(exact):
    seconds = times(90, 2)
    frames = cut_at(seconds, [20.0, 61.5], [3, 9, 16])
    expected = [("cut", 20.0, 20.0, 20.0), ("cut", 61.5, 61.5, 61.5)]
    for borders in ([], list(range(20, 180, 20))):
        found, kept = in_chunks(frames, seconds, borders, exact=exact)
        assert places(found) == expected
        assert kept <= 125 + 20 + 2


@pytest.mark.parametrize("exact", [False, True])
def test_a_video_of_240_frames_a_second(exact):
    seconds = times(6, 240)
    frames = cut_at(np.floor(seconds * 20) / 20, [2.0], [3, 9])
    found, kept = in_chunks(frames, seconds, [500, 1000], exact=exact)
    assert places(found) == [("cut", 2.0, 2.0, 2.0)]
    assert kept <= len(seconds)


@pytest.mark.parametrize(
    ("fps", "chunk_seconds", "chunks"), [(4, 90, 40), (30, 10, 9), (100, 5, 6)], ids=str
)
def test_memory_is_bounded(fps, chunk_seconds, chunks):
    """An hour of a slow video, and minutes of faster ones: only the last seconds are kept."""
    seconds = times(chunk_seconds, fps)
    picture = np.repeat(shot(3, np.zeros(1)), len(seconds), axis=0)
    track = empty_track()
    most = max(10.5 * fps, 125 * max(1, fps / 30) + 3)
    for chunk in range(chunks):
        track = track.extended(picture, seconds + chunk_seconds * chunk)
        if chunk % 2:  # as a server without answers yet, and with them
            windows = due_windows(track, is_last=False, every_window=False)
            track = with_scores(track, windows, *judged(windows.pixels))
        track, found = decide(
            track, is_last=False, judged_to_seconds=judged_to_seconds(track) if chunk % 2 else None
        )
        assert found == []
        assert len(track.seconds) <= most
        assert track.pixels.base is None  # the memory of earlier chunks is free
    assert track.model_frames_before > 0


def test_a_run_without_scores_is_judged_by_pictures_alone():
    expected = find_transitions(Run(*FOOTAGE))
    assert in_chunks(*FOOTAGE, [])[0] == expected
