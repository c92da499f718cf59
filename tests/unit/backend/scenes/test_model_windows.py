# SPDX-License-Identifier: Apache-2.0
"""Windows for TransNetV2: the published scheme, whatever the division into chunks."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.footage import cut_at, judged, shot, times

from trireel_backend.scenes.model_windows import (
    Windows,
    due_windows,
    judged_to_seconds,
    with_scores,
)
from trireel_backend.scenes.track import decide, empty_track


def published(frames):
    """Return the windows as TransNetV2's own inference code makes them."""
    at_end = 25 + 50 - (len(frames) % 50 or 50)
    padded = np.concatenate(
        [frames[:1].repeat(25, axis=0), frames, frames[-1:].repeat(at_end, axis=0)]
    )
    return [padded[at : at + 100] for at in range(0, len(padded) - 99, 50)]


def published_scores(frames, network):
    """Return SINGLE and MANY of each frame by TransNetV2's own inference code."""
    answers = [network(window[None]) for window in published(frames)]
    middles = [[array[0, 25:75] for array in answer] for answer in answers]
    return tuple(np.concatenate(parts)[: len(frames)] for parts in zip(*middles, strict=True))


def looking_around(windows):
    """Return answers that depend on each frame, on its place, and on the rest of its window."""
    numbers = windows[:, :, 0, 0, 0] + 256 * windows[:, :, 0, 0, 1].astype(np.float32)
    single = numbers / 1000 + numbers[:, ::-1] / 7000
    many = numbers.mean(axis=1, keepdims=True) / 1000 + np.arange(100, dtype=np.float32) / 1000
    return single.astype(np.float32), many.astype(np.float32)


def numbered(count):
    """Return frames of a still picture, each with its number in one pixel."""
    frames = np.repeat(shot(3, np.zeros(1)), count, axis=0)
    frames[:, 0, 0, 1], frames[:, 0, 0, 0] = np.divmod(np.arange(count), 256)
    return frames


def judge_in_chunks(frames, seconds, borders, network, *, every_window=True):
    """Return SINGLE and MANY by frame, and the numbers of the windows that were judged."""
    edges = [0, *borders, len(frames)]
    track, indices, scores = empty_track(), [], {}
    for begin, end in itertools.pairwise(edges):
        track = track.extended(frames[begin:end], seconds[begin:end])
        is_last = end == len(frames)
        windows = due_windows(track, is_last=is_last, every_window=every_window)
        indices += windows.indices
        track = with_scores(track, windows, *network(windows.pixels))
        for place in np.flatnonzero(~np.isnan(track.single)).tolist():
            number = track.model_frames_before + place
            answer = (track.single[place], track.many[place])
            assert scores.setdefault(number, answer) == answer  # an answer is never replaced
        if len(track.seconds):
            judged_seconds = judged_to_seconds(track)
            track, _ = decide(track, is_last=is_last, judged_to_seconds=judged_seconds)
    return scores, indices


@pytest.mark.parametrize("count", [1, 2, 49, 50, 51, 74, 75, 76, 99, 100, 101, 150, 327])
def test_windows_of_a_whole_video_are_those_published(count):
    frames = numbered(count)
    track = empty_track().extended(frames, times(count / 25, 25))
    windows = due_windows(track, is_last=True, every_window=True)
    expected = published(frames)
    assert windows.indices == tuple(range(len(expected)))
    np.testing.assert_array_equal(windows.pixels, np.stack(expected))
    assert windows.next_window == len(expected)


@pytest.mark.parametrize("count", [1, 26, 75, 130, 401])
def test_scores_of_a_whole_video_are_those_published(count):
    frames = numbered(count)
    scores, _ = judge_in_chunks(frames, times(count / 25, 25), [], looking_around)
    single, many = published_scores(frames, looking_around)
    assert scores == {i: (single[i], many[i]) for i in range(count)}


@settings(max_examples=15)
@given(st.sets(st.integers(1, 499), max_size=12).map(sorted))
def test_each_frame_is_judged_once_whatever_the_division(borders):
    frames, seconds = numbered(500), times(20, 25)
    scores, indices = judge_in_chunks(frames, seconds, borders, looking_around)
    assert indices == list(range(10))
    single, many = published_scores(frames, looking_around)
    assert scores == {i: (single[i], many[i]) for i in range(500)}


def test_of_60_fps_every_other_frame_is_judged():
    frames, seconds = numbered(600), times(10, 60)
    scores, indices = judge_in_chunks(frames, seconds, [90, 333], looking_around)
    single, many = published_scores(frames[::2], looking_around)
    assert indices == list(range(6))
    assert scores == {i: (single[i], many[i]) for i in range(300)}


def test_a_window_waits_for_all_its_frames():
    frames = numbered(200)
    for count, ready in [(74, 0), (75, 1), (124, 1), (125, 2), (200, 3)]:
        track = empty_track().extended(frames[:count], times(count / 25, 25))
        assert len(due_windows(track, is_last=False, every_window=True).indices) == ready


def test_only_windows_around_changes_are_judged():
    seconds = times(20, 25)
    frames = cut_at(seconds, [10.4], [3, 9])  # frame 260, in the middle of window 5
    frames[:260], frames[260:] = shot(3, np.zeros(1)), shot(9, np.zeros(1))
    _, indices = judge_in_chunks(frames, seconds, [111, 300], judged, every_window=False)
    assert indices == [5]
    _, indices = judge_in_chunks(frames, seconds, [111, 300], judged)
    assert indices == list(range(10))


@pytest.mark.parametrize("frame", [247, 249, 250, 251, 253, 275, 299])
def test_a_cut_anywhere_in_a_window_has_its_scores(frame):
    seconds = times(20, 25)
    frames = np.repeat(shot(3, np.zeros(1)), 500, axis=0)
    frames[frame:] = shot(9, np.zeros(1))
    scores, _ = judge_in_chunks(frames, seconds, [100, 260], judged, every_window=False)
    assert scores[frame - 1][0] > 0.9
    assert scores[frame][1] > 0.9


def test_a_still_video_is_not_judged_but_decided():
    frames, seconds = np.repeat(shot(3, np.zeros(1)), 300, axis=0), times(12, 25)
    track = empty_track().extended(frames, seconds)
    windows = due_windows(track, is_last=False, every_window=False)
    assert windows.indices == ()
    assert windows.pixels.shape == (0, 100, 27, 48, 3)
    track = with_scores(track, windows, *judged(windows.pixels))
    assert np.isnan(track.single).all()
    assert judged_to_seconds(track) == pytest.approx(seconds[250] - 0.3)


def test_answers_for_other_windows_are_not_taken():
    track = empty_track().extended(numbered(100), times(4, 25))
    windows = Windows((0, 1), np.zeros((2, 100, 27, 48, 3), np.uint8), 2)
    one = np.zeros((1, 100), np.float32)
    with pytest.raises(ValueError, match="shorter"):
        with_scores(track, windows, one, one)
