# SPDX-License-Identifier: Apache-2.0
"""Scenes between transitions: without gaps, each with its own frames."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trireel_backend.scenes.spans import (
    MOST_CANDIDATES,
    SampledFrames,
    close,
    first_scene,
    split_at,
)
from trireel_backend.scenes.transitions import DISSOLVE, Transition, cut

WIDTH = 6


def frames_of(count, *, seed=0, step_seconds=1.0, start_seconds=0.5):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, WIDTH)) + 2 * np.eye(WIDTH)[rng.integers(0, WIDTH)]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return SampledFrames(start_seconds + step_seconds * np.arange(count), rows.astype(np.float32))


def cuts(*seconds):
    return [cut(time, 1.0, "") for time in seconds]


def ended(frames, transitions, end_seconds):
    """Return all scenes of a video that comes in one piece."""
    scene = first_scene(0.0, WIDTH)
    scene, scenes = split_at(scene, frames, transitions, frames.part(0, 1))
    return [*scenes, close(scene, end_seconds, frames.part(len(frames) - 1, len(frames)))]


def twin(frames, begin_seconds, end_seconds):
    """Return pooled embedding and representative of a scene by plain float64 NumPy."""
    inside = (frames.seconds >= begin_seconds) & (frames.seconds < end_seconds)
    rows = frames.embeddings[inside].astype(np.float64)
    mean = rows.mean(axis=0)
    mean /= np.sqrt((mean**2).sum())
    return mean, frames.seconds[inside][np.argmax(rows @ mean)]


def test_scenes_have_no_gaps_and_their_own_frames():
    frames = frames_of(40)
    scenes = ended(frames, cuts(4.0, 17.25, 30.0), 41.0)
    spans = [(scene.start_seconds, scene.end_seconds) for scene in scenes]
    assert spans == [(0.0, 4.0), (4.0, 17.25), (17.25, 30.0), (30.0, 41.0)]
    for scene in scenes:
        pooled, representative = twin(frames, scene.start_seconds, scene.end_seconds)
        np.testing.assert_allclose(scene.embedding, pooled, atol=1e-6)
        assert scene.representative_seconds == representative


def test_a_frame_at_a_cut_belongs_to_the_new_scene():
    frames = frames_of(4)
    first, second = ended(frames, cuts(2.5), 4.0)
    np.testing.assert_allclose(first.embedding, twin(frames, 0, 2.5)[0], atol=1e-6)
    np.testing.assert_allclose(second.embedding, twin(frames, 2.5, 4.0)[0], atol=1e-6)


def test_frames_within_a_transition_belong_to_no_scene_before():
    frames = frames_of(10)
    dissolve = Transition(5.0, 3.0, 7.0, DISSOLVE, 1.0, "")
    first, second = ended(frames, [dissolve], 10.0)
    assert (first.end_seconds, second.start_seconds) == (5.0, 5.0)
    np.testing.assert_allclose(first.embedding, twin(frames, 0.0, 3.0)[0], atol=1e-6)


def test_a_scene_that_lies_within_a_transition_has_its_frames():
    frames = frames_of(10)
    dissolve = Transition(1.0, 0.0, 2.0, DISSOLVE, 1.0, "")
    first, _ = ended(frames, [dissolve], 10.0)
    np.testing.assert_allclose(first.embedding, frames.embeddings[0], atol=1e-6)
    assert first.representative_seconds == 0.5


def test_a_scene_without_sampled_frames_has_the_frame_before_it():
    frames = frames_of(6)
    scenes = ended(frames, cuts(2.6, 3.0, 3.4), 6.0)
    for scene in scenes[1:3]:
        assert scene.representative_seconds == 2.5
        np.testing.assert_array_equal(scene.embedding, frames.embeddings[2])


def test_a_first_scene_without_sampled_frames_has_the_first_frame():
    frames = frames_of(6)
    first, second = ended(frames, cuts(0.2), 6.0)
    assert (first.start_seconds, first.end_seconds) == (0.0, 0.2)
    assert first.representative_seconds == 0.5
    assert second.start_seconds == 0.2


def test_a_last_scene_without_sampled_frames_has_the_last_frame():
    frames = frames_of(6)
    *_, last = ended(frames, cuts(5.8), 6.0)
    assert (last.start_seconds, last.end_seconds) == (5.8, 6.0)
    assert last.representative_seconds == 5.5


@settings(max_examples=60)
@given(
    st.sets(st.integers(1, 299), max_size=12).map(sorted),
    st.sets(st.integers(1, 299), max_size=6).map(sorted),
)
def test_the_division_into_calls_makes_no_difference(borders, cut_frames):
    frames = frames_of(300)
    transitions = cuts(*(float(frames.seconds[index]) - 0.2 for index in cut_frames))
    expected = ended(frames, transitions, 300.0)
    scene, scenes = first_scene(0.0, WIDTH), []
    edges = [0, *borders, 300]
    for begin, end in itertools.pairwise(edges):
        part = frames.part(begin, end)
        now = [t for t in transitions if part.seconds[0] - 1 < t.seconds <= part.seconds[-1]]
        nearest = frames.part(max(0, begin - 1), max(1, begin))
        scene, more = split_at(scene, part, now, nearest)
        scenes += more
    scenes.append(close(scene, 300.0, frames.part(299, 300)))
    for one, other in zip(scenes, expected, strict=True):
        assert (one.start_seconds, one.end_seconds) == (other.start_seconds, other.end_seconds)
        assert one.representative_seconds == other.representative_seconds
        np.testing.assert_array_equal(one.embedding, other.embedding)


@pytest.mark.parametrize("count", [64, 65, 128, 129, 1000])
def test_a_long_scene_keeps_few_candidates(count):
    frames = frames_of(count)
    scene, _ = split_at(first_scene(0.0, WIDTH), frames, [], frames.part(0, 1))
    assert len(scene.candidates) <= MOST_CANDIDATES
    assert scene.frame_count == count
    np.testing.assert_array_equal(scene.candidates.seconds, frames.seconds[:: scene.stride])
    found = close(scene, 2000.0, frames.part(0, 1))
    np.testing.assert_allclose(found.embedding, twin(frames, 0, 2000)[0], atol=1e-6)
    likeness = scene.candidates.embeddings @ found.embedding
    assert found.representative_seconds == scene.candidates.seconds[likeness.argmax()]


def test_a_scene_keeps_nothing_of_its_calls_memory():
    frames = frames_of(5)
    scene, _ = split_at(first_scene(0.0, WIDTH), frames, [], frames.part(0, 1))
    expected = close(scene, 5.0, frames.part(0, 1))
    frames.embeddings.fill(np.nan)
    frames.seconds.fill(np.nan)
    again = close(scene, 5.0, frames.part(0, 1))
    np.testing.assert_array_equal(again.embedding, expected.embedding)
    assert again.representative_seconds == expected.representative_seconds
